/** Unpacks what comes by descriptor 3 to its standard output by the program of a format, until its test kills it. */
import { unpackByProgram } from "./program.ts";

await unpackByProgram(process.argv[2] === "xz" ? "xz" : "gzip", 3, 1, new AbortController().signal);
