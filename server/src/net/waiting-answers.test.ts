import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.ts";
import { WaitingAnswers } from "./waiting-answers.ts";

const PLACES = 2048;

function bench() {
	const clock = new ManualClock();
	const waiting = new WaitingAnswers(clock);
	const sent: string[] = [];
	const ask = (client: string, { isKnown = false, question = client } = {}) => {
		const answers = [1150, 1600].map((delay) => ({
			delay,
			send: () => void sent.push(`${client} ${clock.monotonic()}`),
		}));
		return waiting.add({ client, question, isKnown, answers });
	};
	return { clock, waiting, sent, ask, began: clock.monotonic() };
}

test("each answer is sent at its time, and then nothing is kept", () => {
	const { clock, waiting, sent, ask, began } = bench();
	assert.ok(ask("a"));
	clock.advance(1149);
	assert.deepEqual(sent, []);
	clock.advance(1);
	assert.deepEqual([sent, waiting.size], [[`a ${began + 1150}`], 1]);
	clock.advance(450);
	assert.deepEqual([sent, waiting.size], [[`a ${began + 1150}`, `a ${began + 1600}`], 0]);
});

test("whoever asks in a client's name all the time does not keep it from its answer", () => {
	const { clock, sent, ask, began } = bench();
	for (let forged = 0; forged < 500; forged++) {
		assert.ok(ask("a", { isKnown: true }));
		clock.advance(7);
	}
	sent.length = 0;
	const asked = clock.monotonic();
	assert.ok(ask("a", { isKnown: true }));
	clock.advance(1600);
	const after = sent.map((line) => Number(line.slice(2)) - asked);
	assert.ok(
		after.some((milliseconds) => milliseconds > 1000 && milliseconds <= 1150),
		after.join(),
	);
	assert.ok(sent.length <= 40, `${sent.length} answers since ${asked - began}`);
});

test("a client has no more than its share, whatever it asks", () => {
	const { waiting, ask } = bench();
	for (let question = 0; question < 500; question++) ask("a", { question: `${question}` });
	assert.equal(waiting.size, 32);
	assert.ok(ask("b"));
});

test("strangers take no more than all places, and none from those that are known", () => {
	const { clock, waiting, sent, ask } = bench();
	for (let stranger = 0; stranger < PLACES; stranger++) assert.ok(ask(`${stranger}`));
	assert.equal(ask("one more"), false);
	assert.ok(ask("pi", { isKnown: true }));
	assert.equal(waiting.size, PLACES);
	clock.advance(1150);
	assert.ok(sent.some((line) => line.startsWith("pi ")));
	assert.ok(
		sent.some((line) => line.startsWith("0 ")),
		"who came first stays",
	);
	assert.ok(!sent.some((line) => line.startsWith(`${PLACES - 1} `)), "who came last has to ask again");
});

test("nothing is sent once it is over", () => {
	const { clock, waiting, sent, ask } = bench();
	ask("a");
	ask("b", { isKnown: true });
	waiting.cancel();
	clock.advance(5000);
	assert.deepEqual([sent, waiting.size], [[], 0]);
});
