// Gossipsub for the driven peer: what it is started with, and the commands that a driver may give.
import { gossipsub } from '@libp2p/gossipsub'

// Driver and peer share one address, and a driver's pair of peers is a network: nobody is punished for either.
export const service = () => gossipsub({
  allowPublishToZeroTopicPeers: true,
  emitSelf: false,
  scoreParams: { IPColocationFactorWeight: 0 }
})

export function commandsOf (node) {
  const pubsub = node.services.gossip
  const received = []
  let waiting = []

  pubsub.addEventListener('message', ({ detail: message }) => {
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
    // Who is subscribed, and who of them is in the mesh.
    async gossipPeers ({ topic }) {
      return {
        subscribers: pubsub.getSubscribers(topic).map(String),
        mesh: pubsub.getMeshPeers(topic).map(String)
      }
    }
  }
}
