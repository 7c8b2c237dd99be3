#!/bin/bash
# The file system of an image ($1), run as its compose file would: read-only, as 10001, without a privilege, on a network
# of its own.
set -euo pipefail
image=$1
mount --make-rprivate /
mount --bind "$image" "$image"
mount -t proc proc "$image/proc"
mount --rbind /dev "$image/dev"
mount -o remount,bind,ro "$image"
mount -t tmpfs -o mode=1777 tmpfs "$image/tmp"
mount -t tmpfs -o mode=700,uid=10001,gid=10001 tmpfs "$image/var/lib/clavero"
python3 - <<'PYTHON'
import fcntl, socket, struct  # `ip link set lo up`, where iproute2 is not installed
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
PYTHON
inside() {
  chroot "$image" /usr/bin/env -i PATH=/opt/clavero/bin:/usr/bin:/bin LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 CLAVERO_STORAGE_DATA_DIR=/var/lib/clavero \
    setpriv --reuid 10001 --regid 10001 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"
}
inside clavero up --demo 2>&1 > /dev/null | grep -v "\"event\"" &
for _ in $(seq 120); do
  sleep 0.5
  if inside clavero doctor --ready 2> /dev/null; then break; fi
done
inside clavero smoke --key-file /var/lib/clavero/demo/prod-support-chat-01.key
inside clavero doctor
inside sh -c 'touch /etc/x /opt/clavero/x 2> /dev/null || echo read-only'
supervisor=$(inside cat /var/lib/clavero/lock)
kill -TERM "$supervisor"
wait %1 && echo "ended 0"
