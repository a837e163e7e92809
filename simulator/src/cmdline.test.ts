import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseNfsRoot } from "./cmdline.ts";
import { BootError } from "./errors.ts";

const OPTIONS = "vers=3,tcp,nolock,rsize=65536,wsize=65536";
const line = (options: string, rest = "rw ip=dhcp") =>
	`console=tty1 root=/dev/nfs nfsroot=10.0.0.1:/pi/a1,${options} ${rest} rootwait`;

describe("nfsroot= on the command line", () => {
	it("says where the root is", () => {
		assert.deepEqual(parseNfsRoot(line(`${OPTIONS},port=2049,mountport=2050`), "kernel"), {
			server: "10.0.0.1",
			path: "/pi/a1",
			nfsPort: 2049,
			mountPort: 2050,
			rsize: 65536,
			readWrite: true,
		});
		assert.equal(parseNfsRoot(line(OPTIONS, "ro ip=dhcp"), "klibc").readWrite, false);
		assert.equal(parseNfsRoot(line(OPTIONS), "klibc").nfsPort, undefined);
	});

	it("may hold for klibc only what its nfsmount knows", () => {
		for (const option of ["proto=tcp", "mountport=2050", "nconnect=4", "sec=sys", "foo"]) {
			assert.throws(() => parseNfsRoot(line(`${OPTIONS},${option}`), "klibc"), {
				message: `nfsmount: bad option '${option}'`,
			});
		}
		assert.throws(() => parseNfsRoot(line("vers=4,tcp"), "klibc"), /version 4/);
	});

	it("must name version 3 to the kernel, which would begin with 2", () => {
		assert.throws(() => parseNfsRoot(line("tcp,nolock"), "kernel"), /version 2/);
		assert.equal(parseNfsRoot(line("v3,tcp"), "kernel").path, "/pi/a1");
		assert.equal(parseNfsRoot(line("tcp"), "klibc").path, "/pi/a1");
		assert.throws(() => parseNfsRoot(line(`${OPTIONS},udp`), "kernel"), /UDP/);
	});

	it("is missed with a word", () => {
		assert.throws(() => parseNfsRoot("root=PARTUUID=1f00cafe-02 rootwait", "kernel"), /root=PARTUUID=1f00cafe-02/);
		assert.throws(() => parseNfsRoot("root=/dev/nfs ip=dhcp", "kernel"), /nfsroot=, expected/);
		assert.throws(() => parseNfsRoot("root=/dev/nfs nfsroot=server:/x ip=dhcp", "kernel"), /expected ADDRESS/);
		assert.throws(() => parseNfsRoot(line(OPTIONS, "rw"), "kernel"), /no ip=/);
		assert.throws(() => parseNfsRoot(line(`vers=3,${"x".repeat(256)}`), "kernel"), /256/);
	});

	it("in any text is understood or refused", () => {
		fc.assert(
			fc.property(fc.string(), fc.constantFrom("kernel", "klibc"), (text, reader) => {
				try {
					parseNfsRoot(line(text), reader);
				} catch (error) {
					assert.ok(error instanceof BootError, String(error));
				}
			}),
		);
	});
});
