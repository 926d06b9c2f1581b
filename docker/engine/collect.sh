# Run while the image is built: gathers in the folder $1 what the engine needs beside its own files.
set -eu
target=$1

# Shared libraries of Node and of the native modules, and the loader, under the names by which they are looked for.
{ echo /usr/local/bin/node; find /opt/millrace -name '*.node'; } | while read -r file; do ldd "$file"; done |
  sed -n 's/^.*=> \(\/[^ ]*\) .*$/\1/p; s/^\s*\(\/[^ ]*ld-[^ ]*\) .*$/\1/p' | sort -u | while read -r library; do
    mkdir -p "$target$(dirname "$library")"
    cp -L "$library" "$target$library"
  done
# Names of hosts are resolved by what the C library loads while it runs.
for library in libnss_files.so.2 libnss_dns.so.2 libresolv.so.2; do
  path=$(find /lib/ /usr/lib/ -name "$library" | head -n 1)
  [ -z "$path" ] || { mkdir -p "$target$(dirname "$path")" && cp -L "$path" "$target$path"; }
done

mkdir -p "$target/etc" "$target/tmp"
echo 'hosts: files dns' >"$target/etc/nsswitch.conf"
printf 'root:x:0:0::/:/none\nmillrace:x:10001:10001::/var/lib/millrace:/none\n' >"$target/etc/passwd"
printf 'root:x:0:\nmillrace:x:10001:\n' >"$target/etc/group"
chmod 1777 "$target/tmp"
