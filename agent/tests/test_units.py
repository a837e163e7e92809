"""What of the agent can be tested without a disk. Run: python3 -m unittest discover agent/tests"""

from __future__ import annotations

import base64
import http.client
import importlib.util
import io
import json
import pathlib
import random
import sys
import tempfile
import unittest
from typing import Any, Callable, Dict, List
from unittest import mock

PATH = pathlib.Path(__file__).resolve().parent.parent / "netboot-imager-service.py"
SPEC = importlib.util.spec_from_file_location("imager", PATH)
assert SPEC is not None and SPEC.loader is not None
imager: Any = importlib.util.module_from_spec(SPEC)
sys.modules["imager"] = imager
SPEC.loader.exec_module(imager)

GOOD: Dict[str, Any] = {
    "v": 1,
    "size": 9_000_000,
    "blockSize": 4096,
    "chunkBlocks": 1024,
    "pack": {"size": 5000, "sha256": "ab"},
    "chunks": [[0, 0, 3000, 1, "00", [0, 10], [10, 2]], [2, 3000, 2000, 0, "11", [100, 1], []]],
}


def read(values: Any) -> Any:
    return imager.ImageMap(json.dumps(values).encode())


class Contents(unittest.TestCase):
    def test_only_what_is_all_zeros_is_empty(self) -> None:
        def content(start: bytes) -> str:
            with tempfile.NamedTemporaryFile() as file:
                file.write(start.ljust(2 * imager.MIB, b"\0"))
                file.flush()
                return str(imager.content_of(file.name))

        table = b"\0" * 510 + b"\x55\xaa"
        self.assertEqual([content(b""), content(b"stale"), content(table)], ["empty", "", "mbr"])
        self.assertEqual(content(b"\0" * 1080 + b"\x53\xef"), "ext")
        self.assertEqual(content(b"\0" * (64 * 1024 + 64) + b"_BHRfS_M"), "", "btrfs leaves the first blocks alone")


class Maps(unittest.TestCase):
    def test_good(self) -> None:
        image = read(GOOD)
        self.assertEqual([chunk.number for chunk in image.chunks], [0, 2])
        self.assertEqual(image.chunks[1].data, [(2 * imager.CHUNK + 100 * 4096, 4096)])
        self.assertEqual((image.data_bytes, image.zero_bytes), (11 * 4096, 2 * 4096))

    def test_what_would_write_to_a_wrong_place(self) -> None:
        def broken(chunk: List[Any]) -> Dict[str, Any]:
            return {**GOOD, "chunks": [chunk]}

        for values in [
            {**GOOD, "v": 2},
            {**GOOD, "blockSize": 512},
            {**GOOD, "chunks": GOOD["chunks"][::-1]},
            {**GOOD, "chunks": [GOOD["chunks"][0]] * 2},
            broken([-1, 0, 1, 0, "", [0, 1], []]),
            broken([3, 0, 1, 0, "", [0, 1], []]),
            broken([0, 4999, 2, 0, "", [0, 1], []]),
            broken([0, -1, 2, 0, "", [0, 1], []]),
            broken([0, 0, 5 * 2**20, 0, "", [0, 1], []]),
            broken([0, 0, 1, 2, "", [0, 1], []]),
            broken([0, 0, 1, 0, "", [1020, 5], []]),
            broken([0, 0, 1, 0, "", [5, 1, 4, 1], []]),
            broken([0, 0, 1, 0, "", [0, 0], []]),
            broken([0, 0, 1, 0, "", [], [0, 1]]),
            broken([0, 0, 0, 0, "", [0, 1], []]),
        ]:
            with self.assertRaises(ValueError, msg=json.dumps(values)):
                read(values)

    def test_nonsense_is_a_known_error(self) -> None:
        chance = random.Random(1)
        text = json.dumps(GOOD)
        for _ in range(2000):
            at = chance.randrange(len(text))
            try:
                imager.ImageMap((text[:at] + chance.choice('0"[]{},:x-9') + text[at + 1 :]).encode())
            except (ValueError, KeyError, TypeError):
                continue


class Bitmaps(unittest.TestCase):
    def test_round_trip(self) -> None:
        marks = imager.Marks(20)
        for number in (0, 9, 19):
            marks.add(number)
        marks.remove(9)
        again = imager.Marks(20, str(marks))
        self.assertEqual([number for number in range(20) if number in again], [0, 19])

    def test_a_longer_or_shorter_one_does_no_harm(self) -> None:
        self.assertNotIn(3, imager.Marks(8, ""))
        self.assertIn(3, imager.Marks(8, base64.b64encode(b"\xff" * 100).decode()))


class Settings(unittest.TestCase):
    def test_addresses_and_networks(self) -> None:
        config = imager.Config({"allowed_ips": ["10.10.200.75", "10.10.201.0/24", "192.0.2.9/24"]})
        for address in ("10.10.200.75", "10.10.201.200", "192.0.2.1", "::ffff:192.0.2.1"):
            self.assertTrue(config.allows(address), address)
        for address in ("10.10.200.76", "::1", "nonsense", ""):
            self.assertFalse(config.allows(address), address)

    def test_only_whole_disks(self) -> None:
        config = imager.Config({})
        for path in ("/dev/mmcblk0", "/dev/nvme0n1", "/dev/sda"):
            self.assertTrue(config.devices.fullmatch(path), path)
        for path in ("/dev/mmcblk0p1", "/dev/nvme0n1p2", "/dev/sda1", "/dev/loop0", "/dev/mmcblk0boot0", "/dev/../sda", "/dev/sda\n"):
            self.assertFalse(config.devices.fullmatch(path), path)


class Holders(unittest.TestCase):
    def test_of_the_disk_and_of_its_partitions(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            disk = pathlib.Path(folder) / "sda"
            for part in ("sda1", "sda2", "queue"):
                (disk / part / "holders").mkdir(parents=True)
            for part in ("sda1", "sda2"):
                (disk / part / "partition").write_text("1")
            self.assertEqual(imager.holders_of(disk), [])
            (disk / "sda2" / "holders" / "dm-0").mkdir()
            self.assertEqual(imager.holders_of(disk), ["dm-0"])
            (disk / "holders" / "md127").mkdir(parents=True)
            self.assertEqual(imager.holders_of(disk), ["dm-0", "md127"])


class Memory(unittest.TestCase):
    def test_zeros(self) -> None:
        buffer = imager.Buffer()
        self.assertTrue(buffer.is_zero(0, buffer.size))
        buffer.view[3_000_000] = 1
        self.assertFalse(buffer.is_zero(0, buffer.size))
        self.assertTrue(buffer.is_zero(0, 3_000_000))

    def test_a_frame_that_is_none_or_too_large(self) -> None:
        zstd = imager.Zstd.load()
        if zstd is None:
            self.skipTest("libzstd.so.1 is missing")
        buffer = imager.Buffer()
        # A frame header that promises 5 MiB in one run of the same byte.
        bomb = b"\x28\xb5\x2f\xfd\xa0" + (5 * 2**20).to_bytes(4, "little") + ((2**17 << 3) | 3).to_bytes(3, "little") + b"x"
        arrived = imager.Buffer()
        for packed in (b"nonsense", bomb):
            arrived.view[: len(packed)] = packed
            with self.assertRaises(ValueError):
                zstd.unpack(arrived, len(packed), buffer)


class Canned:
    """A connection on which always the same arrives."""

    def __init__(self, arrives: bytes) -> None:
        self._arrives = arrives

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._arrives)

    def request(self, *_args: Any, **_more: Any) -> None:
        pass

    def close(self) -> None:
        pass

    def getresponse(self) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(self)  # type: ignore[arg-type]
        response.begin()
        return response


class Downloads(unittest.TestCase):
    BODY = b"0123456789" * 50

    def download(self, head: bytes, body: bytes) -> Any:
        buffer = imager.Buffer()
        canned = Canned(b"HTTP/1.1 206 Partial Content\r\n" + head + b"\r\n\r\n" + body)
        with mock.patch.object(imager.http.client, "HTTPConnection", return_value=canned):
            imager.Link("http://192.0.2.1/", 1).download("/pack", {}, 206, buffer.view[: len(self.BODY)])
        return bytes(buffer.view[: len(self.BODY)])

    def test_exactly_what_was_asked_for_also_through_a_proxy_that_cuts_it_into_pieces(self) -> None:
        pieces = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in (self.BODY[:200], self.BODY[200:], b""))
        self.assertEqual(self.download(b"Content-Length: 500", self.BODY), self.BODY)
        self.assertEqual(self.download(b"Transfer-Encoding: chunked", pieces), self.BODY)
        self.assertEqual(self.download(b"Connection: close", self.BODY), self.BODY)

    def test_too_little_and_too_much(self) -> None:
        for head, body in (
            (b"Content-Length: 499", self.BODY[:499]),
            (b"Content-Length: 500", self.BODY[:499]),
            (b"Content-Length: 501", self.BODY + b"x"),
            (b"Connection: close", self.BODY + b"x"),
            (b"Transfer-Encoding: chunked", b"1f4\r\n" + self.BODY[:300]),
        ):
            with self.subTest(head), self.assertRaises(imager.Unreachable):
                self.download(head, body)


class Percent(unittest.TestCase):
    def test_never_falls(self) -> None:
        progress = imager.Progress("job", "/dev/sda")
        seen = []
        for stage, share in [("wiping", 1), ("writing", 0.5), ("verifying", 0.4), ("verifying", 2), ("syncing", 0)]:
            progress.move(stage, share)
            seen.append(progress.percent)
        self.assertEqual(seen, [10, 52.5, 52.5, 95, 95])
        progress.finish()
        self.assertEqual((progress.stage, progress.percent), ("complete", 100))


class Settled(unittest.TestCase):
    """What is written while a sync is at work counts with the next one."""

    NUMBERS = list(range(1, 41))

    def setUp(self) -> None:
        self.failure: Any = None
        self.kept: List[int] = []

    def write(self, sync: Callable[[List[int]], None]) -> Any:
        """@param sync is told which chunks were written before it began."""
        written: List[int] = []
        chunks = [imager.Chunk(number, 0, 1, False, "", [(number * 4096, 4096)], []) for number in self.NUMBERS]
        buffer = imager.Buffer()
        disk = mock.Mock()
        disk.write = lambda start, _view: written.append(start // 4096)
        disk.sync = lambda: sync(list(written))
        image = mock.Mock(chunks=chunks, data_bytes=1, zero_bytes=0)
        write = imager.ImageWrite(disk, image, list, imager.Progress("job", "/dev/sda"), report=self.report)
        arriving = mock.MagicMock()
        arriving.__iter__.return_value = [imager.Fetched(chunk, buffer) for chunk in chunks]
        try:
            with mock.patch.object(imager, "Fetcher", return_value=arriving):
                write._put(chunks, lambda _chunk: None)
        except imager.Failure as failure:
            self.failure = failure
        return write

    def report(self, marks: Any) -> None:
        for number in self.NUMBERS:
            self.assertTrue(number not in marks or number in self.kept, number)

    def test_only_what_a_sync_has_kept_that_began_afterwards(self) -> None:
        def sync(written: List[int]) -> None:
            imager.time.sleep(0.01)
            self.kept = written

        write = self.write(sync)
        self.assertEqual([number for number in self.NUMBERS if number in write.durable], self.NUMBERS)
        self.assertIsNone(self.failure)

    def test_what_a_sync_beside_the_writing_fails_with_ends_the_write(self) -> None:
        for first_that_fails in (16, 32):
            with self.subTest(first_that_fails):

                def sync(written: List[int]) -> None:
                    if len(written) >= first_that_fails:
                        raise imager.Failure("disk-error", "The disk is broken.")
                    self.kept = written

                self.kept = []
                write = self.write(sync)
                self.assertEqual(self.failure.code, "disk-error")
                self.assertNotIn(first_that_fails, write.durable)

    def test_a_disk_that_hangs_does_not_hold_up_the_end_of_the_program(self) -> None:
        hanging = imager.threading.Event()
        settling = imager.Settling(lambda _numbers: hanging.wait(), [])
        self.assertTrue(settling._thread.daemon)
        hanging.set()
        settling.result()


class Reporter:
    """Hears what is reported, and does something then."""

    def __init__(self, then: Callable[[], Any]) -> None:
        self.heard = 0
        self._then = then

    def say(self, durable: object) -> bool:
        self.heard += 1
        self._then()
        return True


class OneWriteAtATime(unittest.TestCase):
    def setUp(self) -> None:
        config = imager.Config({"server": "http://127.0.0.1:1", "timeout_seconds": 1})
        self.desk = imager.Desk(config)
        self.agent = imager.Agent(self.desk)
        self.desk.take(imager.Progress("", "/dev/sda"))
        self.mine = imager.Progress("job", "/dev/sdb")

    def test_work_of_the_server_waits_for_a_write_of_port_8888_and_says_so(self) -> None:
        reporter = Reporter(self.desk.release)
        self.assertTrue(self.agent._wait_for_desk(self.mine, reporter))
        self.assertEqual((reporter.heard, self.desk.current, self.desk.is_busy), (1, self.mine, True))

    def test_it_can_be_cancelled_meanwhile(self) -> None:
        self.assertFalse(self.agent._wait_for_desk(self.mine, Reporter(self.mine.cancelled.set)))
        self.assertEqual((self.mine.stage, self.desk.is_busy), ("cancelled", True))

    def test_no_reboot_in_the_middle(self) -> None:
        with mock.patch.object(imager, "reboot") as reboot, mock.patch.object(imager.time, "sleep"):
            self.agent._do({"kind": "reboot"})
            reboot.assert_not_called()
            self.desk.release()
            self.agent._do({"kind": "reboot"})
            reboot.assert_called_once_with()


class News(unittest.TestCase):
    def test_is_what_lasts(self) -> None:
        known = {"disks": [], "network": [], "temperature": 40, "throttled": "0"}
        self.assertEqual(imager.lasting(known), imager.lasting({**known, "temperature": 50, "throttled": "1"}))
        self.assertNotEqual(imager.lasting(known), imager.lasting({**known, "network": ["eth0"]}))


if __name__ == "__main__":
    unittest.main()
