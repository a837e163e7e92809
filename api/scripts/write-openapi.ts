/** Writes `api/openapi.json` anew from the route table: `npm run openapi`. */
import { writeFileSync } from "node:fs";
import { openApiText } from "./openapi-text.ts";

writeFileSync(new URL("../openapi.json", import.meta.url), openApiText());
