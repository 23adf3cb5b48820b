// Circuit relay v2 and autonat v1 for the driven peer: what it is started with, and the commands that a driver may give.
import { autoNAT } from '@libp2p/autonat'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { multiaddr } from '@multiformats/multiaddr'

export const relayService = () => circuitRelayServer()
export const unlimitedRelayService = () => circuitRelayServer({ reservations: { applyDefaultLimit: false } })
export const transport = () => circuitRelayTransport()
export const autonatService = () => autoNAT({ startupDelay: 100, refreshInterval: 1000 })

export function commandsOf (node) {
  return {
    // Reserves at a relay and listens there; says under which address.
    async reserve ({ relay }) {
      await node.components.transportManager.listen([multiaddr(`${relay}/p2p-circuit`)])
      return { addresses: node.getMultiaddrs().map(String).filter(address => address.includes('/p2p-circuit')) }
    },
    // The peers that have a reservation here.
    async reservations () {
      const reservations = node.services.relay?.reservations
      return { peers: reservations == null ? [] : [...reservations.keys()].map(String) }
    },
    // How each connection to a peer is limited; null where it is not.
    async limits ({ peer }) {
      const connections = node.getConnections().filter(connection => connection.remotePeer.toString() === peer)
      return {
        limits: connections.map(({ limits }) => limits == null ? null : { bytes: Number(limits.bytes ?? 0), seconds: limits.seconds ?? 0 }),
        addresses: connections.map(connection => connection.remoteAddr.toString())
      }
    },
    // The addresses of this peer that others have reached.
    async verified () {
      const addresses = node.components.addressManager.getAddressesWithMetadata()
      return { addresses: addresses.filter(({ verified }) => verified).map(({ multiaddr }) => multiaddr.toString()) }
    },
    async addresses () {
      return { addresses: node.getMultiaddrs().map(String) }
    }
  }
}
