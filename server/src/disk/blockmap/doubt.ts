import { NetbootError } from "../../base/index.ts";

/** A file system whose word on its free space is not taken; the message completes "all of it counts as used, since ...". */
export class Doubt extends NetbootError {
	constructor(message: string) {
		super("blockmap-doubt", message);
	}
}
