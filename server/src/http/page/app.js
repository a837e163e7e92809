/** The page: lists kept live by server-sent events. Everything that the server says is put in as text, never as markup. */

const stages = ["dhcp", "firmware", "kernel", "root", "userspace", "agent"];
const stageNames = {
	dhcp: "Found",
	firmware: "Firmware",
	kernel: "Kernel",
	root: "Root",
	userspace: "Running",
	agent: "Agent",
};
const mostLogLines = 200;
const healthMilliseconds = 15_000;

const devices = new Map();
const images = new Map();

const byId = (id) => document.getElementById(id);

/** Makes an element: `element("p", { class: "quiet" }, "text", child, ...)`. */
function element(name, attributes, ...children) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
	made.append(...children.filter((child) => child !== undefined && child !== ""));
	return made;
}

function gigabytes(bytes) {
	return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

function clockTime(milliseconds) {
	return new Date(milliseconds).toLocaleTimeString();
}

function joined(...parts) {
	return parts.filter((part) => part !== null && part !== undefined && part !== "").join(" · ");
}

const tones = { error: "bad", warning: "warn", info: "quiet" };

function note(finding) {
	const text = [finding.message, finding.fix].filter(Boolean).join(" ");
	return element("p", { class: `note ${tones[finding.severity] ?? "quiet"}` }, element("span", {}, text));
}

function imageName(device) {
	if (device.imageId !== null) return images.get(device.imageId)?.name ?? device.imageId;
	const byDefault = [...images.values()].find((image) => image.isDefault);
	return byDefault === undefined ? "no image yet" : `${byDefault.name} (default)`;
}

function steps(device) {
	const times = new Map(device.stages.map(({ stage, at }) => [stage, at]));
	const items = stages.map((stage) => {
		const at = times.get(stage);
		const attributes = at === undefined ? {} : { class: "reached", title: clockTime(at) };
		return element("li", attributes, stageNames[stage]);
	});
	return element("ol", { class: "steps", "aria-label": "Stages of the last boot" }, ...items);
}

function bootText(device) {
	if (device.lastBootAt === null) return "not booted yet";
	return `boot ${device.bootCount} at ${new Date(device.lastBootAt).toLocaleString()}`;
}

function deviceCard(device) {
	return element(
		"article",
		{ class: "card" },
		element(
			"div",
			{ class: "row" },
			element("h3", {}, device.name),
			element("span", { class: "chip" }, device.stage === null ? "new" : stageNames[device.stage]),
		),
		element("p", { class: "facts" }, joined(device.modelName ?? device.model ?? "unknown model", device.ip, device.id)),
		element("p", { class: "facts" }, joined(imageName(device), device.rootMode, bootText(device))),
		steps(device),
		device.diagnosis === undefined ? "" : note(device.diagnosis),
	);
}

function imageCard(image) {
	const tone = image.state === "ready" ? "good" : image.state === "broken" ? "bad" : "warn";
	const size =
		image.usedBytes === null ? gigabytes(image.size) : `${gigabytes(image.usedBytes)} of ${gigabytes(image.size)} used`;
	return element(
		"article",
		{ class: "card" },
		element(
			"div",
			{ class: "row" },
			element("h3", {}, image.name),
			element("span", { class: `chip ${tone}` }, image.isDefault ? `${image.state}, default` : image.state),
		),
		element("p", { class: "facts" }, joined(image.os?.name, size)),
		image.models.length === 0 ? "" : element("p", { class: "facts" }, `boots ${image.models.join(", ")}`),
		...image.findings.filter((finding) => finding.severity !== "info").map(note),
	);
}

function noDevices() {
	return element(
		"div",
		{ class: "card wide" },
		element("h3", {}, "No device yet"),
		element(
			"p",
			{},
			"Connect a Pi to this network by cable, take its SD card out, and power it on. It shows up here by itself.",
		),
		element(
			"p",
			{},
			"A Pi 3B+ needs nothing else. A Pi 4 or 5 has to be told once: started from a card, ",
			element("code", {}, "sudo raspi-config"),
			", then Advanced Options, Boot Order, Network Boot.",
		),
		element("p", {}, "No Pi at hand? This boots a virtual one:"),
		element("pre", {}, "npx pi-netboot simulate --model pi4"),
	);
}

function noImages() {
	return element(
		"div",
		{ class: "card wide" },
		element("h3", {}, "No image yet"),
		element("p", {}, "Copy an unpacked image into the server's images folder. It shows up here within seconds."),
		element("pre", {}, "cp raspios-lite-arm64.img images/"),
	);
}

const byName = (a, b) => a.name.localeCompare(b.name);

function draw() {
	const deviceCards = [...devices.values()].sort(byName).map(deviceCard);
	const imageCards = [...images.values()].sort(byName).map(imageCard);
	byId("devices").replaceChildren(...(deviceCards.length > 0 ? deviceCards : [noDevices()]));
	byId("images").replaceChildren(...(imageCards.length > 0 ? imageCards : [noImages()]));
	byId("device-count").textContent = devices.size > 0 ? String(devices.size) : "";
	byId("image-count").textContent = images.size > 0 ? String(images.size) : "";
}

/** Many events in one go make one drawing. */
let drawing = false;
function drawSoon() {
	if (drawing) return;
	drawing = true;
	requestAnimationFrame(() => {
		drawing = false;
		draw();
	});
}

const serviceTones = { running: "good", failed: "bad", starting: "warn", off: "quiet" };

function showHealth({ services, version }) {
	const chips = Object.entries(services).map(([name, { state, port }]) =>
		element("li", { class: `chip ${serviceTones[state]}` }, `${name} ${state === "running" ? port : state}`),
	);
	byId("services").replaceChildren(...chips, element("li", { class: "chip quiet" }, version));
	const failed = Object.entries(services).filter(([, service]) => service.error !== undefined);
	byId("problems").replaceChildren(...failed.flatMap(([name, service]) => problem(name, service)));
}

function problem(name, { error, hint }) {
	const said = note({ severity: "error", message: `${name}: ${error}` });
	return hint === undefined ? [said] : [said, element("pre", {}, hint)];
}

function showNetwork(network) {
	const others = network.otherDhcpServers.map((server) => server.address);
	byId("network").textContent = joined(
		network.serverIp === null ? "no network address" : `${network.serverIp} on ${network.interface}`,
		`DHCP ${network.mode}`,
		others.length > 0 ? `router's DHCP at ${others.join(", ")}` : "",
	);
}

function addLogLine({ time, level, service, device, message }) {
	const list = byId("log");
	const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
	const tone = level === "error" ? "bad" : level === "warn" ? "warn" : "";
	list.append(element("li", { class: tone }, [clockTime(time), service, device, message].filter(Boolean).join("  ")));
	while (list.children.length > mostLogLines) list.firstElementChild.remove();
	if (atEnd) list.scrollTop = list.scrollHeight;
}

async function fetchJson(path) {
	const response = await fetch(path);
	if (response.status === 401) location.reload();
	if (!response.ok) throw new Error(`${path}: ${response.status}`);
	return response.json();
}

async function refreshHealth() {
	showHealth(await fetchJson("/api/v1/health"));
}

/** After the stream is open, so that nothing falls between the lists and the first event. */
async function refresh() {
	const [deviceList, imageList, network, logs] = await Promise.all([
		fetchJson("/api/v1/devices"),
		fetchJson("/api/v1/images"),
		fetchJson("/api/v1/network"),
		fetchJson(`/api/v1/logs?level=info&limit=${mostLogLines}`),
		refreshHealth(),
	]);
	devices.clear();
	images.clear();
	for (const device of deviceList.devices) devices.set(device.id, device);
	for (const image of imageList.images) images.set(image.id, image);
	byId("log").replaceChildren();
	for (const line of logs.lines) addLogLine(line);
	showNetwork(network);
	drawSoon();
}

function say(text, tone) {
	byId("connection").textContent = text;
	byId("connection").className = tone;
}

function onDevice({ id, formerId, device }) {
	if (formerId !== undefined) devices.delete(formerId);
	if (device === undefined) devices.delete(id);
	else devices.set(id, device);
	drawSoon();
}

function onImage({ id, image }) {
	if (image === undefined) images.delete(id);
	else images.set(id, image);
	drawSoon();
}

function listen() {
	const stream = new EventSource("/api/v1/events");
	const on = (type, action) => stream.addEventListener(type, (event) => action(JSON.parse(event.data)));
	stream.addEventListener("open", () => {
		say("live", "good");
		refresh().catch(unreachable);
	});
	stream.addEventListener("error", () => {
		unreachable();
		// The browser connects again by itself, except after an answer that is no stream (the login has ended, say).
		if (stream.readyState === EventSource.CLOSED) setTimeout(listenAnew, 3000);
	});
	on("device", onDevice);
	on("image", onImage);
	on("network", showNetwork);
	on("log", (line) => line.level !== "debug" && addLogLine(line));
}

/** Asking for the lists finds out whether the login has ended. */
function listenAnew() {
	refresh().then(listen, () => setTimeout(listenAnew, 3000));
}

function unreachable() {
	say("server not reachable", "bad");
}

listen();
refreshHealth().catch(unreachable);
setInterval(() => refreshHealth().catch(unreachable), healthMilliseconds);
