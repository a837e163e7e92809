"""A plugin for nbdkit: a disk in memory that does what broken disks do, as a file of commands says.

Lines of that file: `eio START END` (writes fail), `unreadable START END` (reads fail), `unkept` (flushes fail), `lie START END`
(writes are dropped), `flip OFFSET` (a bit of a byte that is not zero is another), `hang START END` (writes never come back),
`wrap SIZE` (the disk is smaller than it says), `alias OFFSET` (4 MiB there are those at the start).
"""

import errno
import os
import time

import nbdkit

API_VERSION = 2
disk = bytearray()
faults = ""


def config(key, value):
    global disk, faults
    if key == "size":
        disk = bytearray(b"\xa5" * int(value))
    elif key == "faults":
        faults = value


def thread_model():
    return nbdkit.THREAD_MODEL_SERIALIZE_ALL_REQUESTS


def open(readonly):  # pylint: disable=redefined-builtin
    return 1


def get_size(handle):
    return len(disk)


def commands(name):
    try:
        with os.fdopen(os.open(faults, os.O_RDONLY)) as file:
            lines = [line.split() for line in file]
    except FileNotFoundError:
        return []
    return [[int(each) for each in words[1:]] for words in lines if words and words[0] == name]


def hits(name, offset, length):
    return any(offset < end and start < offset + length for start, end in commands(name))


def place(offset):
    for (start,) in commands("alias"):
        if start <= offset < start + 4 * 1024 * 1024:
            return offset - start
    wraps = commands("wrap")
    return offset % wraps[0][0] if wraps else offset


def fail():
    nbdkit.set_error(errno.EIO)
    raise OSError(errno.EIO, "injected")


def pread(handle, buffer, offset, flags):
    if hits("unreadable", offset, len(buffer)):
        fail()
    at = place(offset)
    buffer[:] = disk[at : at + len(buffer)]


def pwrite(handle, buffer, offset, flags):
    if hits("eio", offset, len(buffer)):
        fail()
    while hits("hang", offset, len(buffer)):
        time.sleep(0.1)
    if hits("lie", offset, len(buffer)):
        return
    at = place(offset)
    disk[at : at + len(buffer)] = buffer
    for (bit,) in commands("flip"):
        if offset <= bit < offset + len(buffer) and disk[bit] != 0:
            disk[bit] ^= 1


def flush(handle, flags):
    if commands("unkept"):
        fail()


def can_flush(handle):
    return True
