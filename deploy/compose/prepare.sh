#!/bin/sh
# Make what is yours and in no version of dinostream, as far as it is missing: .env, config/ and secrets/.
# A password of a camera or a broker goes into a file in secrets/environment: one that is called GATE_PASSWORD is
# ${GATE_PASSWORD} in config/cameras.yaml.
# usage: prepare.sh
set -eu
cd "$(dirname "$0")"
[ -e .env ] || cp .env.example .env
mkdir -p config
[ -e config/cameras.yaml ] || cp cameras.example.yaml config/cameras.yaml
# The folder is closed to other users of the host. Its files can be read by whoever a container runs as.
mkdir -p -m 700 secrets
mkdir -p -m 755 secrets/environment
for name in ray_token environment/DINOSTREAM_TOKEN grafana_password; do
  [ -s "secrets/$name" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "secrets/$name"
  chmod 644 "secrets/$name"
done
