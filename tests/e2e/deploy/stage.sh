#!/bin/bash
# A machine for one test: its own processes, mounts, network and cgroups, with systemd as its first process.
# What is the host's is read-only here; what systemd and the unit write goes to memory and is gone with the last process.
set -eu
cd /  # where this was called from may be hidden below
units=$1 installed=$2 etc=$3

mount --make-rprivate /
mount -o remount,bind,ro /
for place in /run /var/lib /var/log /var/cache /opt; do mount -t tmpfs -o mode=755 tmpfs "$place"; done
mkdir /run/etc /run/units /opt/clavero
cp -a /etc/. /run/etc/
mkdir /run/etc/clavero
cp -a "$etc"/. /run/etc/clavero/
echo "clavero-tls:x:901:" >> /run/etc/group
if [ -e /run/etc/clavero/tls/key.pem ]; then chgrp 901 /run/etc/clavero/tls/key.pem; fi
cp -a "$units"/. /run/units/
mount --bind /run/etc /etc
mount --bind "$installed" /opt/clavero
mount -t tmpfs -o mode=1777 tmpfs /tmp # last: what was given may lie there
while mountpoint -q /sys/fs/cgroup; do umount -R /sys/fs/cgroup; done
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --make-rshared /
/usr/bin/python3 - <<'PYTHON'
import fcntl, socket, struct  # `ip link set lo up`, where iproute2 is not installed
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
PYTHON
export container=clavero-stage SYSTEMD_UNIT_PATH=/run/units
exec /usr/lib/systemd/systemd --system --unit=stage.target --show-status=no < /dev/null
