import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Tally } from "../base/index.ts";
import { metricsText } from "./metrics.ts";
import { sampleDevice, sampleHealth, sampleImage, sampleLease, sampleWrite } from "./testing/samples.ts";

function text(device = sampleDevice.id): string {
	const answered = new Tally();
	answered.add({ method: "GET", status: "200" }, 3);
	return metricsText({
		health: sampleHealth,
		images: [sampleImage],
		devices: [{ ...sampleDevice, id: device }],
		leases: [sampleLease],
		writes: [sampleWrite],
		bystanders: 1,
		counters: [
			{ name: "dhcp_messages_total", help: "Messages.", samples: [{ labels: { type: "discover" }, value: 3 }] },
		],
		answered,
		eventStreams: 2,
	});
}

const LABELS = /^\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,(?=[a-z])|(?=\})))+\}$/;

/** Reads the text format 0.0.4 strictly, as Prometheus documents it. Series with their values. */
function read(metrics: string): Map<string, number> {
	const series = new Map<string, number>();
	const types = new Map<string, string>();
	let family = "";
	assert.ok(metrics.endsWith("\n"));
	for (const line of metrics.slice(0, -1).split("\n")) {
		const [, word, name = "", rest = ""] = /^# (HELP|TYPE) ([a-z][a-z0-9_]*) (.+)$/.exec(line) ?? [];
		if (word === "HELP") {
			assert.ok(!types.has(name), `${name} comes twice`);
			family = name;
		} else if (word === "TYPE") {
			assert.deepEqual([name, ["gauge", "counter"].includes(rest)], [family, true], line);
			assert.equal(name.endsWith("_total"), rest === "counter", `${name} is a ${rest}`);
			types.set(name, rest);
		} else {
			const [, sample, labels = "", value = ""] =
				/^([a-z][a-z0-9_]*)(\{.*\})? (-?[\d.]+(?:e[+-]?\d+)?)$/.exec(line) ?? [];
			assert.deepEqual([sample, types.has(family)], [family, true], line);
			if (labels !== "") assert.match(labels, LABELS);
			assert.ok(!series.has(`${sample}${labels}`), `${line} comes twice`);
			series.set(`${sample}${labels}`, Number(value));
		}
	}
	return series;
}

describe("the figures", () => {
	it("are what Prometheus reads", () => {
		const series = read(text());
		assert.equal(series.get('pi_netboot_http_requests_total{method="GET",status="200"}'), 3);
		assert.equal(series.get('pi_netboot_dhcp_leases{state="leased"}'), 1);
		assert.equal(series.get('pi_netboot_device_boots{device="7bf18f79"}'), 3);
	});

	it("tell what is not there as none", () => {
		const series = read(text());
		assert.equal(series.get('pi_netboot_images{state="broken"}'), 0);
		assert.equal(series.get('pi_netboot_writes{stage="failed"}'), 0);
		assert.equal(series.get('pi_netboot_devices{stage="agent"}'), 0);
	});

	it("keep signs of a name within its quotes", () => {
		assert.equal(read(text('a"} 1\n\\')).get('pi_netboot_device_boots{device="a\\"} 1\\n\\\\"}'), 3);
	});
});
