import assert from "node:assert/strict";
import { it } from "node:test";
import { MemoryTree } from "../memory-tree.ts";
import type { WritableFileTree } from "../tree.ts";
import { assertSameTrees, outcome, RandomOperations, randomNumbers } from "./random-operations.ts";
import { openLayer, type TestLayer } from "./testing.ts";

const OPERATIONS = Number(process.env.RANDOM_OPS ?? 20_000);
const SEED = Number(process.env.RANDOM_SEED ?? 1);

/** The same operations make the base and the model's beginning. */
function begin(seed: number): MemoryTree {
	const tree = new MemoryTree();
	const operations = new RandomOperations(randomNumbers(seed));
	for (let count = 0; count < 500; count++) outcome(() => operations.next(tree).run(tree));
	return tree;
}

class Undone extends Error {}

/** Does operations that are undone together. */
function undo(subject: TestLayer, model: MemoryTree, operations: RandomOperations): void {
	const tree = subject.layer.tree(1);
	assert.throws(() => {
		subject.layer.transaction(() => {
			for (let count = 0; count < 5; count++) doSimple(tree, operations, model);
			throw new Undone();
		});
	}, Undone);
}

/** An operation whose bytes come back when it is undone: not a write over blocks that the layer holds. */
function doSimple(tree: WritableFileTree, operations: RandomOperations, model: MemoryTree): void {
	const { text, run } = operations.next(model);
	if (!text.startsWith("write")) outcome(() => run(tree));
}

it(`does ${OPERATIONS} random operations as the model does them, reopened and undone in between (seed ${SEED})`, () => {
	const [base, model] = [begin(SEED), begin(SEED)];
	const subject = openLayer(base);
	try {
		const operations = new RandomOperations(randomNumbers(SEED + 1));
		for (let count = 1; count <= OPERATIONS; count++) {
			const { text, run } = operations.next(model);
			const expected = outcome(() => run(model));
			const actual = outcome(() => run(subject.layer.tree(1)));
			assert.deepEqual(actual, expected, `operation ${count}: ${text}`);
			if (operations.chance(0.01)) undo(subject, model, operations);
			if (operations.chance(0.001)) subject.reopen();
			if (count % 500 === 0) assertSameTrees(subject.layer.tree(1), model);
		}
		subject.reopen();
		assertSameTrees(subject.layer.tree(1), model);
	} finally {
		subject.close();
	}
});

it("leaves the base as it was", () => {
	const [base, untouched] = [begin(7), begin(7)];
	const subject = openLayer(base);
	const operations = new RandomOperations(randomNumbers(8));
	for (let count = 0; count < 1000; count++) outcome(() => operations.next(base).run(subject.layer.tree(1)));
	subject.close();
	assertSameTrees(base, untouched);
});
