// Peer records for the driven peer: what it knows of others, and changes of its own that it pushes.
import { identifyPush } from '@libp2p/identify'
import { peerIdFromString } from '@libp2p/peer-id'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import { multiaddr } from '@multiformats/multiaddr'

export const service = () => identifyPush({ debounce: 50 })

export function commandsOf (node) {
  return {
    // What the peer store holds of a peer: addresses and whether the peer signed them, protocols, the record's sequence.
    async known ({ peer }) {
      const entry = await node.peerStore.get(peerIdFromString(peer))
      const envelope = entry.peerRecordEnvelope
      return {
        addresses: entry.addresses.map(({ multiaddr, isCertified }) => ({ address: multiaddr.toString(), isCertified })),
        protocols: entry.protocols,
        sequence: envelope == null
          ? null
          : PeerRecord.createFromProtobuf(RecordEnvelope.createFromProtobuf(envelope).payload).seqNumber.toString()
      }
    },
    // Answers one more protocol, which is pushed to every connected peer.
    async answer ({ protocol }) {
      await node.handle(protocol, stream => stream.close())
      return {}
    },
    // Signs a record with this peer's key; in base64.
    async sign ({ sequence, addresses }) {
      const record = new PeerRecord({ peerId: node.peerId, multiaddrs: addresses.map(multiaddr), seqNumber: BigInt(sequence) })
      const envelope = await RecordEnvelope.seal(record, node.components.privateKey)
      return { envelope: Buffer.from(envelope.marshal()).toString('base64') }
    },
    // Opens an envelope, given in base64, as a peer record.
    async openEnvelope ({ envelope }) {
      const opened = await RecordEnvelope.openAndCertify(Buffer.from(envelope, 'base64'), PeerRecord.DOMAIN)
      const record = PeerRecord.createFromProtobuf(opened.payload)
      return { peer: record.peerId.toString(), sequence: record.seqNumber.toString(), addresses: record.multiaddrs.map(String) }
    }
  }
}
