/** The rules of the rule book, in the order in which they are asked: what is surer, and what is further on its way, comes first. */
import { ANSWER_RULES } from "./rules/answers.ts";
import { FILE_RULES } from "./rules/files.ts";
import { STANDING_RULES } from "./rules/standing.ts";
import { SYSTEM_RULES } from "./rules/system.ts";
import type { Rule } from "./scene.ts";

export const RULES: readonly Rule[] = [...STANDING_RULES, ...SYSTEM_RULES, ...FILE_RULES, ...ANSWER_RULES];
