import type { FormatDefinition } from '../../core/index.ts';
import { avroFormat } from './avro/avro-format.ts';
import { csvFormat } from './csv/csv-format.ts';
import { jsonFormat } from './json/json-format.ts';
import { rawFormat } from './raw/raw-format.ts';

/** Every format of this build. */
export const builtInFormats: readonly FormatDefinition[] =
  Object.freeze([jsonFormat, csvFormat, avroFormat, rawFormat]);
