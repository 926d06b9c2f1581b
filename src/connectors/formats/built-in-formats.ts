import type { FormatDefinition } from '../../core/index.ts';
import { jsonFormat } from './json/json-format.ts';

/** Every format of this build. */
export const builtInFormats: readonly FormatDefinition[] = Object.freeze([jsonFormat]);
