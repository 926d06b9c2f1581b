#!/bin/sh
# Makes the image debian:bookworm-slim with debootstrap, for machines that reach no registry of images. Does nothing
# where there is an image of that name. What the images of docker/ need of Debian is in it, so that their builds need
# no network. Needs root, debootstrap, a Docker engine. The tar file stays in the cache for the next engine.
set -eu

IMAGE=debian:bookworm-slim
PACKAGES=libatomic1,openjdk-17-jre-headless
# Raise it when the content changes: the cached file is another one then.
EDITION=1

if docker image inspect "$IMAGE" >/dev/null 2>&1; then exit 0; fi

cache="${MILLRACE_CACHE:-$HOME/.cache/millrace}/images"
archive="$cache/base-$EDITION-$(dpkg --print-architecture).tar"
mkdir -p "$cache"
if [ ! -f "$archive" ]; then
  work=$(mktemp -d "$cache/base.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  log="$cache/debootstrap.log"
  if ! debootstrap --variant=minbase --include="$PACKAGES" bookworm "$work/root" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    exit 1
  fi
  # As in Debian's own slim image: no manuals, translations and lists of packages.
  tar -C "$work/root" --numeric-owner \
    --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./var/log/*' \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/info/*' \
    --exclude='./usr/share/locale/*' --exclude='./dev/*' \
    -cf "$work/base.tar" .
  mv "$work/base.tar" "$archive"
fi
docker import --change 'CMD ["bash"]' "$archive" "$IMAGE"
