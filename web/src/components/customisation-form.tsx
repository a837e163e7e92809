/** What a system gets without a change of its image: who may log in, where it is. */
import { Autocomplete, Button, PasswordInput, Stack, Textarea, TextInput } from "@mantine/core";
import type { Customisation, CustomisationChanges } from "@pi-netboot/api";
import { keyboardLayouts, timeZones } from "@pi-netboot/api/places";
import { useMutation } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";
import { useDraft } from "../hooks/use-draft.ts";
import { Fields } from "./fields.tsx";
import { SaveBar } from "./save-bar.tsx";

interface CustomisationFormProps {
	readonly now: Customisation;
	readonly onSave: (changes: CustomisationChanges) => Promise<unknown>;
}

interface Draft {
	readonly userName: string;
	readonly password: string;
	readonly authorizedKeys: string;
	readonly timeZone: string;
	readonly locale: string;
	readonly keyboard: string;
	readonly wifiCountry: string;
	readonly userData: string;
}

const fieldNames: Readonly<Record<keyof Draft, string>> = {
	userName: "user",
	password: "password",
	authorizedKeys: "SSH keys",
	timeZone: "time zone",
	locale: "locale",
	keyboard: "keyboard",
	wifiCountry: "Wi-Fi country",
	userData: "user-data",
};

const zones = timeZones();

/** To choose from, of what fits to what was typed. */
const MOST_OFFERED = 8;

/** Secrets are never shown: their fields begin empty, and only what is typed is sent. */
function draftOf(now: Customisation): Draft {
	const { userName = "", authorizedKeys = [], timeZone = "", locale = "", keyboard = "", wifiCountry = "" } = now;
	const keys = authorizedKeys.join("\n");
	return { userName, authorizedKeys: keys, timeZone, locale, keyboard, wifiCountry, password: "", userData: "" };
}

function changesOf(now: Customisation, draft: Draft): CustomisationChanges {
	const before = draftOf(now);
	const keys = Object.keys(before) as (keyof Draft)[];
	const typed = (key: keyof Draft) => (key === "password" ? draft[key] : draft[key].trim());
	const changed = keys.filter((key) => typed(key) !== before[key]);
	return Object.fromEntries(changed.map((key) => [key, sentAs(key, typed(key))]));
}

/** An emptied field is taken away. */
function sentAs(key: keyof Draft, text: string): string | string[] | null {
	if (text === "") return null;
	return key === "authorizedKeys"
		? text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]))
		: text;
}

interface Order {
	readonly wanted: CustomisationChanges;
	/** What the fields showed, where it comes from them. */
	readonly typed?: Draft;
}

export function CustomisationForm({ now, onSave }: CustomisationFormProps) {
	const { shown, set, discard, saved, overtaken } = useDraft(draftOf(now));
	const changes = changesOf(now, shown);
	const save = useMutation({
		mutationFn: ({ wanted }: Order) => onSave(wanted),
		onSuccess: (_, { typed }) => typed && saved(typed),
	});
	const submit = (event: FormEvent) => {
		event.preventDefault();
		save.mutate({ wanted: changes, typed: shown });
	};
	const field = (key: keyof Draft) => ({
		value: shown[key],
		onChange: ({ currentTarget }: { currentTarget: { value: string } }) => set({ [key]: currentTarget.value }),
	});
	const choice = (key: keyof Draft) => ({ value: shown[key], onChange: (value: string) => set({ [key]: value }) });
	return (
		<form onSubmit={submit}>
			<Stack>
				<TextInput label="User who logs in" placeholder="pi" autoComplete="off" {...field("userName")} />
				<Textarea
					label="SSH keys that may log in"
					description="Public keys, one per line"
					placeholder="ssh-ed25519 AAAA… you@laptop"
					autosize
					minRows={2}
					maxRows={8}
					spellCheck={false}
					{...field("authorizedKeys")}
				/>
				<Secret
					isSet={now.passwordSet}
					name="Password"
					onRemove={() => save.mutate({ wanted: { passwordHash: null } })}
				>
					<PasswordInput
						label="Password"
						description="The server keeps a hash of it alone"
						placeholder={now.passwordSet ? "One is set; it is never shown" : "None is set"}
						autoComplete="new-password"
						{...field("password")}
					/>
				</Secret>
				<Fields>
					<Autocomplete
						label="Time zone"
						placeholder="Europe/Berlin"
						data={zones}
						limit={MOST_OFFERED}
						{...choice("timeZone")}
					/>
					<TextInput label="Locale" placeholder="en_GB.UTF-8" {...field("locale")} />
					<Autocomplete
						label="Keyboard"
						placeholder="gb"
						data={[...keyboardLayouts]}
						limit={MOST_OFFERED}
						{...choice("keyboard")}
					/>
					<TextInput label="Wi-Fi country" placeholder="GB" {...field("wifiCountry")} />
				</Fields>
				<Secret
					isSet={now.userDataSet}
					name="User-data of cloud-init"
					onRemove={() => save.mutate({ wanted: { userData: null } })}
				>
					<Textarea
						label="User-data of cloud-init"
						description="For images that have cloud-init; it begins with #cloud-config or #!"
						placeholder={now.userDataSet ? "Some is set; it is never shown" : "#cloud-config"}
						autosize
						minRows={2}
						maxRows={10}
						spellCheck={false}
						{...field("userData")}
					/>
				</Secret>
				<SaveBar
					isChanged={Object.keys(changes).length > 0}
					save={save}
					overtaken={overtaken.map((key) => fieldNames[key])}
					onDiscard={() => {
						discard();
						save.reset();
					}}
				/>
			</Stack>
		</form>
	);
}

interface SecretProps {
	readonly isSet: boolean;
	readonly name: string;
	readonly onRemove: () => void;
	readonly children: ReactNode;
}

function Secret({ isSet, name, onRemove, children }: SecretProps) {
	return (
		<div>
			{children}
			{isSet && (
				<Button size="xs" variant="subtle" mt={4} onClick={onRemove} aria-label={`Take it away: ${name}`}>
					Take it away
				</Button>
			)}
		</div>
	);
}
