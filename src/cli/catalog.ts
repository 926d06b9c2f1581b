/** What the connectors and formats of this build are called in job files. */
export { builtInCatalog as catalog } from '../connectors/index.ts';
