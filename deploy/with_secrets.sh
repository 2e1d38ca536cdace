#!/bin/sh
# Run a command with secrets in its environment: each file whose path begins with PREFIX becomes a variable, named by
# what follows the prefix.
# usage: with_secrets.sh PREFIX COMMAND [ARGUMENT...]      (PREFIX such as /run/secrets/environment/)
set -eu
prefix=$1
shift
for file in "$prefix"*; do
  [ -f "$file" ] || continue  # the pattern itself, where there is none
  value=$(cat "$file")
  export "${file#"$prefix"}=$value"
done
exec "$@"
