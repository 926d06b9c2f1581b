/* npm run docs: writes docs/generated from the tables in the code. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { generatedPages } from './docs/index.ts';

const folder = fileURLToPath(new URL('../docs/generated/', import.meta.url));
const pages = generatedPages();
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (!pages.has(name)) rmSync(folder + name);
for (const [name, text] of pages) writeFileSync(folder + name, text);
