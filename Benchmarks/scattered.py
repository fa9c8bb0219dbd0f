"""A qcow2 image with many clusters at random places, made without writing its data: tables only, the data are holes."""
import array
import os
import random
import struct
import sys

CLUSTER = 65536


def words(values, code="Q"):
    packed = array.array(code, values)
    packed.byteswap()
    return packed.tobytes()


def make(path, virtual_size, clusters, seed=1, order_seed=2):
    """`clusters` data clusters at random guest places, in the file in another random order, as a guest leaves them that
    writes here and there. Images of one `seed` and different `order_seed` hold the same."""
    guest = sorted(random.Random(seed).sample(range(virtual_size // CLUSTER), clusters))
    order = list(range(clusters))
    random.Random(order_seed).shuffle(order)
    per_table = CLUSTER // 8
    tables = {}
    for position, cluster in zip(order, guest):
        tables.setdefault(cluster // per_table, []).append((cluster % per_table, position))
    l1_entries = virtual_size // CLUSTER // per_table
    l1_clusters = -(-l1_entries * 8 // CLUSTER)
    per_block = CLUSTER // 2
    fixed = 1 + l1_clusters + len(tables) + clusters
    blocks, table = 1, 1
    while True:
        needed = -(-(fixed + blocks + table) // per_block)
        needed_table = -(-needed * 8 // CLUSTER)
        if (needed, needed_table) == (blocks, table):
            break
        blocks, table = needed, needed_table
    l1_at = 1 + table + blocks
    l2_at = l1_at + l1_clusters
    data_at = l2_at + len(tables)
    total = data_at + clusters
    copied = 1 << 63
    with open(path, "wb") as file:
        file.truncate(total * CLUSTER)
        header = struct.pack(
            ">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", 3, 0, 0, 16, virtual_size, 0, l1_entries, l1_at * CLUSTER, CLUSTER, table,
            0, 0, 0, 0, 0, 4, 104)
        file.write(header)
        file.seek(CLUSTER)
        file.write(words((1 + table + index) * CLUSTER for index in range(blocks)))
        file.seek((1 + table) * CLUSTER)
        file.write(words([1] * total, "H"))
        l1 = [0] * l1_entries
        file.seek(l2_at * CLUSTER)
        for number, (index, entries) in enumerate(sorted(tables.items())):
            l1[index] = (l2_at + number) * CLUSTER | copied
            content = [0] * per_table
            for slot, position in entries:
                content[slot] = (data_at + position) * CLUSTER | copied
            file.write(words(content))
        file.seek(l1_at * CLUSTER)
        file.write(words(l1))


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), order_seed=int(sys.argv[4]))
