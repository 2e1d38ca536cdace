#!/usr/bin/env bash
# Say what is missing for a real Kafka broker: Java 17 or newer, and Maven. Exit 1 when something is.
set -uo pipefail
version=$(java -version 2>&1 | sed -n 's/.*version "\(1\.\)\?\([0-9]*\).*/\2/p' | head -n 1)
missing=()
[ "${version:-0}" -ge 17 ] || missing+=("Java 17 or newer (found: ${version:-none})")
command -v mvn >/dev/null || missing+=("Maven (mvn)")
[ ${#missing[@]} -eq 0 ] && exit 0
{
  printf 'The tests run a real Kafka broker, and this is missing: %s\n' "${missing[@]}"
  echo "Debian and Ubuntu: apt-get install openjdk-17-jre-headless maven; Fedora: dnf install java-21-openjdk-headless maven;"
  echo "macOS: brew install openjdk@21 maven. Without them: make test KAFKA=0 runs the rest."
} >&2
exit 1
