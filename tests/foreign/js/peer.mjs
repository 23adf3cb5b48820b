// A js-libp2p peer that a test or benchmark drives: one JSON object a line on standard input, one a line on standard output.
//
//   ready        {"event":"ready","peerId":"12D3…","addresses":["/ip4/127.0.0.1/tcp/…/p2p/…"]}      printed once, first
//   command      {"id":1,"command":"ping","peer":"12D3…"}            the keys of `commands` below, and of commandsOf in gossip.mjs, peers.mjs, relay.mjs
//   answer       {"id":1,"result":{…}}   or   {"id":1,"error":"name: text"}
//
// Commands run at the same time if they are sent at the same time. Standard input closing ends the peer.
//
// Switches: --security noise|tls        the one secure channel that it speaks; both without the switch, noise first
//           --listen ADDRESS              where it listens, in place of loopback
//           --with gossip,relay,autonat services beside identify and ping; `relay` lets others reserve here, `unlimitedRelay` for any bytes and time
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import * as gossip from './gossip.mjs'
import * as peers from './peers.mjs'
import * as relay from './relay.mjs'

const CHUNK_BYTES = 64 * 1024
const PERF = '/perf/1.0.0'

// Tests open more of everything at once than the defaults allow from one address.
const MANY = { maxInboundStreams: 10_000, maxOutboundStreams: 10_000 }

const { values: switches } = parseArgs({ options: { security: { type: 'string' }, listen: { type: 'string', default: '/ip4/127.0.0.1/tcp/0' }, with: { type: 'string', default: '' } } })
const SECURITY = { noise: [noise()], tls: [tls()], undefined: [noise(), tls()] }
const OPTIONAL_SERVICES = { gossip: gossip.service, relay: relay.relayService, unlimitedRelay: relay.unlimitedRelayService, autonat: relay.autonatService }
const optionalNames = switches.with.split(',').filter(name => name !== '')

const node = await createLibp2p({
  addresses: { listen: [switches.listen] },
  transports: [tcp(), relay.transport()],
  connectionEncrypters: SECURITY[switches.security],
  streamMuxers: [yamux()],
  // All peers of a test are on loopback, which the default does not dial for others.
  connectionGater: { denyDialMultiaddr: () => false },
  connectionManager: {
    inboundConnectionThreshold: Infinity,
    maxIncomingPendingConnections: 1000,
    maxConnections: 1000,
    // Machines that run tests may be busy; the defaults are 10 s.
    inboundUpgradeTimeout: 60_000,
    inboundStreamProtocolNegotiationTimeout: 60_000,
    outboundStreamProtocolNegotiationTimeout: 60_000
  },
  connectionMonitor: { enabled: false },
  services: {
    // A command may ask while the first, of the new connection, is still under way.
    identify: identify({ maxOutboundStreams: 10 }),
    identifyPush: peers.service(),
    ping: ping(),
    ...Object.fromEntries(optionalNames.map(name => [name, OPTIONAL_SERVICES[name]()]))
  }
})

// The byte at a place of a sequence: a byte that is lost, doubled or moved shows.
const byteAt = (sequence, place) => ((place ^ (place >>> 8) ^ (place >>> 16)) + sequence) & 0xff

function chunkAt (sequence, place, bytes) {
  const chunk = new Uint8Array(bytes)
  for (let i = 0; i < bytes; i++) {
    chunk[i] = byteAt(sequence, place + i)
  }
  return chunk
}

async function sendNumbered (stream, sequence, bytes) {
  for (let sent = 0; sent < bytes; sent += CHUNK_BYTES) {
    await send(stream, chunkAt(sequence, sent, Math.min(CHUNK_BYTES, bytes - sent)))
  }
}

async function send (stream, chunk) {
  if (!stream.send(chunk)) {
    await stream.onDrain()
  }
}

async function receiveNumbered (stream, sequence) {
  let place = 0
  for await (const list of stream) {
    const bytes = list.subarray()
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== byteAt(sequence, place + i)) {
        throw new Error(`byte ${place + i} is ${bytes[i]}`)
      }
    }
    place += bytes.length
  }
  return place
}

// Eight bytes, big endian, at the start of a stream; what follows goes on to `rest`. Resolves at the end of the remote's data.
function receiveCount (stream, rest = () => {}) {
  return new Promise((resolve, reject) => {
    let head = new Uint8Array(0)
    stream.addEventListener('message', ({ data }) => {
      if (head.length === 8) {
        return rest(data.byteLength)
      }
      head = Uint8Array.from([...head, ...data.subarray()])
      if (head.length > 8) {
        rest(head.length - 8)
        head = head.subarray(0, 8)
      }
    })
    stream.addEventListener('remoteCloseWrite', () => resolve(countIn(head)))
    stream.addEventListener('close', ({ error }) => reject(error ?? new Error('closed early')))
  })
}

function count (number) {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number))
  return bytes
}

function countIn (bytes) {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0))
}

async function sendZeros (stream, bytes) {
  const zeros = new Uint8Array(CHUNK_BYTES)
  for (let sent = 0; sent < bytes; sent += CHUNK_BYTES) {
    await send(stream, zeros.subarray(0, Math.min(CHUNK_BYTES, bytes - sent)))
  }
}

// What others may ask of this peer.
const stalled = []
const resets = []
const failures = []
const handlers = {
  // Sends back what comes, and ends when the remote does.
  '/test/echo/1.0.0': async (stream) => {
    for await (const list of stream) {
      await send(stream, list)
    }
    await stream.close()
  },
  // Checks a numbered sequence to its end, then says how long it was.
  '/test/sink/1.0.0': async (stream) => {
    const bytes = await receiveNumbered(stream, 0)
    await send(stream, count(bytes))
    await stream.close()
  },
  // Sends as many numbered bytes as it is asked for.
  '/test/source/1.0.0': async (stream) => {
    await sendNumbered(stream, 0, await receiveCount(stream))
    await stream.close()
  },
  // Resets the stream at the first byte.
  '/test/reset/1.0.0': async (stream) => {
    stream.addEventListener('message', () => stream.abort(new Error('as asked')), { once: true })
  },
  // Reads nothing until the command "resume".
  '/test/stall/1.0.0': async (stream) => {
    stream.pause()
    stalled.push(stream)
  },
  // Waits to be reset, for the command "resets".
  '/test/wait/1.0.0': async (stream) => {
    stream.addEventListener('close', () => resets.push(stream.status), { once: true })
    stream.addEventListener('message', () => {})
  },
  [PERF]: async (stream) => {
    await sendZeros(stream, await receiveCount(stream))
    await stream.close()
  }
}

// What the driver may ask of this peer.
const commands = {
  async dial ({ address }) {
    const start = performance.now()
    const connection = await node.dial(multiaddr(address))
    return { peer: connection.remotePeer.toString(), milliseconds: performance.now() - start }
  },
  async close ({ peer }) {
    await connectionTo(peer).close()
    return {}
  },
  async identify ({ peer }) {
    const about = await node.services.identify.identify(connectionTo(peer))
    return {
      peer: about.peerId.toString(),
      agent: about.agentVersion,
      protocolVersion: about.protocolVersion,
      listens: about.listenAddrs.map(String),
      observed: about.observedAddr?.toString(),
      protocols: about.protocols
    }
  },
  async ping ({ peer }) {
    const start = performance.now()
    await node.services.ping.ping(peerIdFromString(peer))
    return { milliseconds: performance.now() - start }
  },
  async connections () {
    return { peers: node.getConnections().map(connection => connection.remotePeer.toString()) }
  },
  // Sends, half-closes, and only then has everything come back: half-close works both ways.
  async echo ({ peer, bytes, sequence = 0 }) {
    const stream = await open(peer, '/test/echo/1.0.0')
    const received = receiveNumbered(stream, sequence)
    await sendNumbered(stream, sequence, bytes)
    await stream.close()
    return { bytes: await received }
  },
  upload: ({ peer, bytes }) => upload(peer, '/test/sink/1.0.0', bytes),
  stalledUpload: ({ peer, bytes }) => upload(peer, '/test/stall/1.0.0', bytes),
  async download ({ peer, bytes }) {
    const stream = await open(peer, '/test/source/1.0.0')
    const received = receiveNumbered(stream, 0)
    await send(stream, count(bytes))
    await stream.close()
    return { bytes: await received }
  },
  // Opens a stream that the remote resets; says how it ended here.
  async awaitReset ({ peer, protocol }) {
    const stream = await open(peer, protocol)
    const ended = new Promise(resolve => stream.addEventListener('close', () => resolve(stream.status), { once: true }))
    stream.addEventListener('message', () => {})
    await send(stream, new Uint8Array(10))
    return { status: await ended }
  },
  // Resets a stream of its own while it has data under way.
  async reset ({ peer, protocol }) {
    const stream = await open(peer, protocol)
    await send(stream, new Uint8Array(CHUNK_BYTES))
    stream.abort(new Error('as asked'))
    return {}
  },
  async resume () {
    const bytes = await Promise.all(stalled.splice(0).map(async stream => {
      const received = receiveNumbered(stream, 0)
      stream.resume()
      const bytes = await received
      await stream.close()
      return bytes
    }))
    return { bytes }
  },
  // What failed in handlers since the last such command, so that a test can say why js reset a stream.
  async failures () {
    return { failures: failures.splice(0).slice(-10) }
  },
  async resets () {
    return { statuses: resets.splice(0) }
  },
  async perf ({ peer, upload, download }) {
    const start = performance.now()
    const stream = await open(peer, PERF)
    const opened = performance.now()
    let received = 0
    let first
    const done = new Promise((resolve, reject) => {
      stream.addEventListener('message', ({ data }) => {
        first ??= performance.now()
        received += data.byteLength
      })
      stream.addEventListener('remoteCloseWrite', resolve)
      stream.addEventListener('close', ({ error }) => error == null ? resolve() : reject(error))
    })
    await send(stream, count(download))
    await sendZeros(stream, upload)
    await stream.close()
    await done
    const end = performance.now()
    first ??= end
    return {
      bytes: received,
      openedMilliseconds: opened - start,
      uploadMilliseconds: (download > 0 ? first : end) - opened,
      downloadMilliseconds: end - first
    }
  },
  // The time of a new stream to its first echoed byte, protocol negotiation included.
  async open ({ peer, times }) {
    const milliseconds = []
    for (let i = 0; i < times; i++) {
      const start = performance.now()
      const stream = await open(peer, '/test/echo/1.0.0')
      const echoed = new Promise(resolve => stream.addEventListener('message', resolve, { once: true }))
      await send(stream, new Uint8Array(1))
      await echoed
      milliseconds.push(performance.now() - start)
      await stream.close()
    }
    return { milliseconds }
  },
  ...peers.commandsOf(node),
  ...relay.commandsOf(node),
  ...(optionalNames.includes('gossip') ? gossip.commandsOf(node) : {})
}

for (const [protocol, handler] of Object.entries(handlers)) {
  await node.handle(protocol, async (stream) => {
    try {
      await handler(stream)
    } catch (error) {
      failures.push(`${protocol}: ${error.name}: ${error.message}`)
      stream.abort(error)
    }
  }, MANY)
}

// Sends a numbered sequence, and returns how much of it the remote says it has counted.
async function upload (peer, protocol, bytes) {
  const stream = await open(peer, protocol)
  const answer = new Promise((resolve, reject) => {
    stream.addEventListener('message', ({ data }) => resolve(countIn(data.subarray())), { once: true })
    stream.addEventListener('close', ({ error }) => reject(error ?? new Error('closed early')))
  })
  await sendNumbered(stream, 0, bytes)
  await stream.close()
  return { bytes: await answer }
}

function connectionTo (peer) {
  const [connection] = node.getConnections(peerIdFromString(peer))
  if (connection == null) {
    throw new Error(`no connection to ${peer}`)
  }
  return connection
}

async function open (peer, protocol) {
  return connectionTo(peer).newStream(protocol, MANY)
}

function print (object) {
  process.stdout.write(JSON.stringify(object) + '\n')
}

// getMultiaddrs() leaves out public addresses until others have reached them.
const listens = node.components.transportManager.getAddrs().map(address => `${address}/p2p/${node.peerId}`)
print({ event: 'ready', peerId: node.peerId.toString(), addresses: listens })

for await (const line of createInterface({ input: process.stdin })) {
  const { id, command, ...parameters } = JSON.parse(line)
  Promise.resolve()
    .then(() => commands[command](parameters))
    .then(result => print({ id, result }), error => print({ id, error: `${error.name}: ${error.message}` }))
}

await node.stop()
process.exit(0)
