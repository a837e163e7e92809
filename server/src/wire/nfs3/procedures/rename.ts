import { writeWcc } from "../attributes.ts";
import type { Nfs3Call, Nfs3Procedure } from "../call.ts";
import { findEntry, requireNoMount, writableDirectory } from "../entries.ts";
import { readEntryName } from "../names.ts";
import { MAY_EXECUTE, MAY_WRITE, requireDirectory, requirePermission, requireUnsticky } from "../permissions.ts";
import type { NfsNode } from "../port.ts";

/**
 *     struct RENAME3args   { diropargs3 from; diropargs3 to; };
 *     struct RENAME3resok  { wcc_data fromdir_wcc; wcc_data todir_wcc; };
 */
export const rename: Nfs3Procedure = {
	name: "RENAME",
	number: 14,
	kind: "stored",
	run(call) {
		const fromName = readEntryName(call.args, "EINVAL");
		const to = call.resolveSecond();
		const toName = readEntryName(call.args, "EINVAL");
		requireRenamable(call, fromName, to, toName);
		call.tree.rename(call.ino, fromName, to.ino, toName);
		call.ok();
		writeBoth(call);
		return undefined;
	},
	fail: writeBoth,
};

function writeBoth(call: Nfs3Call): void {
	writeWcc(call.out, call.firstBefore, call.first?.node);
	writeWcc(call.out, call.secondBefore, call.second?.node);
}

function requireRenamable(call: Nfs3Call, fromName: string, to: NfsNode, toName: string): void {
	const { rpc, tree, ino, exported } = call;
	const fromDirectory = writableDirectory(call);
	const toDirectory = tree.getattr(to.ino);
	requireDirectory(rpc, toDirectory, MAY_WRITE | MAY_EXECUTE);
	const moved = tree.lookup(ino, fromName);
	const movedFile = tree.getattr(moved);
	requireUnsticky(rpc, fromDirectory, movedFile);
	requireNoMount(exported, tree, moved);
	// A directory that moves gets another `..`, which is a change of the directory itself.
	if (movedFile.type === "directory" && to.ino !== ino) requirePermission(rpc, movedFile, MAY_WRITE);
	const replaced = findEntry(tree, to.ino, toName);
	if (replaced === undefined) return;
	requireUnsticky(rpc, toDirectory, tree.getattr(replaced));
	requireNoMount(exported, tree, replaced);
}
