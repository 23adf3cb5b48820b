#!/bin/sh
# Installs exactly what package-lock.json names, from whatever registry npm is configured for.
set -e
cd "$(dirname "$0")"
npm ci --silent
