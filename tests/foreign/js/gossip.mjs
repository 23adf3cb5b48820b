// Gossipsub for the driven peer: what it is started with, and the commands that a driver may give.
import { gossipsub } from '@libp2p/gossipsub'

// Driver and peer share one address, and a driver's pair of peers is a network: nobody is punished for either.
export const service = () => gossipsub({
  allowPublishToZeroTopicPeers: true,
  emitSelf: false,
  scoreParams: { IPColocationFactorWeight: 0 }
})

const microseconds = () => (performance.timeOrigin + performance.now()) * 1000

export function commandsOf (node) {
  const pubsub = node.services.gossip
  const received = []
  let waiting = []
  const measured = new Set()
  let sink = { count: 0, microseconds: [] }

  pubsub.addEventListener('message', ({ detail: message }) => {
    if (measured.has(message.topic)) {
      return
    }
    received.push({
      topic: message.topic,
      from: message.type === 'signed' ? message.from.toString() : null,
      sequence: message.type === 'signed' ? message.sequenceNumber.toString() : null,
      bytes: message.data.length,
      text: message.data.length <= 1024 ? new TextDecoder().decode(message.data) : null
    })
    waiting = waiting.filter(isWaiting => isWaiting())
  })

  return {
    async subscribe ({ topic }) {
      pubsub.subscribe(topic)
      return {}
    },
    async unsubscribe ({ topic }) {
      pubsub.unsubscribe(topic)
      return {}
    },
    // Publishes a text, or so many zeros.
    async publish ({ topic, text, bytes }) {
      const data = text != null ? new TextEncoder().encode(text) : new Uint8Array(bytes)
      const { recipients } = await pubsub.publish(topic, data)
      return { recipients: recipients.map(String) }
    },
    // What was delivered since the last such command, once it is at least so many.
    received: ({ atLeast = 0 }) => new Promise(resolve => {
      const isWaiting = () => {
        if (received.length < atLeast) {
          return true
        }
        resolve({ messages: received.splice(0) })
        return false
      }
      if (isWaiting()) {
        waiting.push(isWaiting)
      }
    }),
    // For benchmarks: takes what a pump sends, notes how long each stamped message was under way, and acknowledges every so many.
    async gossipSink ({ topic, ackEvery }) {
      measured.add(topic)
      pubsub.addEventListener('message', ({ detail: message }) => {
        if (message.topic !== topic) {
          return
        }
        const stamp = new DataView(message.data.buffer, message.data.byteOffset).getFloat64(0)
        if (stamp !== 0) {
          sink.microseconds.push(microseconds() - stamp)
        }
        if (++sink.count % ackEvery === 0) {
          pubsub.publish(topic + '/ack', new Uint8Array(8))
        }
      })
      pubsub.subscribe(topic)
      return {}
    },
    async gossipSinkTake () {
      const taken = { microseconds: sink.microseconds }
      sink = { count: 0, microseconds: [] }
      return taken
    },
    // Sends so many messages with at most a window of them unacknowledged; with a pause after each, stamped.
    async gossipPump ({ topic, bytes, count, window, ackEvery, pauseMilliseconds }) {
      measured.add(topic + '/ack')
      let acknowledged = 0
      let wake = () => {}
      const onMessage = ({ detail: message }) => {
        if (message.topic === topic + '/ack') {
          acknowledged += ackEvery
          wake()
        }
      }
      pubsub.addEventListener('message', onMessage)
      const until = async (number) => {
        while (acknowledged < number) {
          await new Promise(resolve => { wake = resolve })
        }
      }
      const start = performance.now()
      for (let sent = 0; sent < count; sent++) {
        await until(sent + 1 - window)
        const data = new Uint8Array(bytes)
        if (pauseMilliseconds > 0) {
          new DataView(data.buffer).setFloat64(0, microseconds())
        }
        await pubsub.publish(topic, data)
        if (pauseMilliseconds > 0) {
          await new Promise(resolve => setTimeout(resolve, pauseMilliseconds))
        }
      }
      await until(count)
      pubsub.removeEventListener('message', onMessage)
      return { milliseconds: performance.now() - start }
    },
    async gossipAwait ({ topic, peers }) {
      while (pubsub.getMeshPeers(topic).length < peers) {
        await new Promise(resolve => setTimeout(resolve, 10))
      }
      return {}
    },
    // Who is subscribed, and who of them is in the mesh.
    async gossipPeers ({ topic }) {
      return {
        subscribers: pubsub.getSubscribers(topic).map(String),
        mesh: pubsub.getMeshPeers(topic).map(String)
      }
    }
  }
}
