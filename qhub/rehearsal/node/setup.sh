# The first process of a real node: makes its network and its mounts, then holds both. Run with fresh namespaces:
#   sh setup.sh FOLDER_OF_THE_NODE MARK
# Nothing of it is seen outside, and all of it ends with the last process in it.
set -eu
node=$1
mark=$2

# Pods may share mounts with the node, and never with the machine.
mount --make-rshared /

# Standard paths with contents of the node's own. What lives only as long as the pods is in memory.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/lib/upper /run/lib/work
mount -t overlay -o lowerdir=/var/lib,upperdir=/run/lib/upper,workdir=/run/lib/work overlay /var/lib
for name in kubelet containerd qhub/volumes; do
    mkdir -p "$node/${name##*/}" "/var/lib/$name"
    mount --bind "$node/${name##*/}" "/var/lib/$name"
done
mkdir -p "$node/log"
mount --bind "$node/log" /var/log

# A bridge without ports carries the node's address: not every kernel has the link type `dummy`.
ip link set lo up
ip link add qhub0 type bridge
ip address add 10.99.0.1/24 dev qhub0
ip link set qhub0 up
# Services and load balancers need a route before kube-proxy's rules can send them elsewhere. Kubernetes wants to see a
# default route; that nothing leaves is said by the two halves of it, which come first: who tries is told at once.
ip route add 10.96.0.0/16 dev qhub0
ip route add 10.98.0.0/16 dev qhub0
ip route add default via 10.99.0.2 dev qhub0
ip route add unreachable 0.0.0.0/1
ip route add unreachable 128.0.0.0/1
echo 1 > /proc/sys/net/ipv4/ip_forward

printf %s $$ > "$mark"
exec sleep infinity
