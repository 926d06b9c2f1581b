/** The pages of docs/generated, each from the tables of the rooms. */
import { commandsPage } from './commands-page.ts';
import { configurationPage } from './configuration-page.ts';
import { connectorsPage } from './connectors-page.ts';
import { errorsPage } from './errors-page.ts';
import { functionsPage } from './functions-page.ts';
import { metricsPage } from './metrics-page.ts';
import { restPage } from './rest-page.ts';

/** Texts by file name. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([
    ['cli.md', commandsPage()],
    ['config.md', configurationPage()],
    ['connectors.md', connectorsPage()],
    ['errors.md', errorsPage()],
    ['functions.md', functionsPage()],
    ['metrics.md', metricsPage()],
    ['rest.md', restPage()],
  ]);
}
