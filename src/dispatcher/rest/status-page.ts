/**
 * The cluster in a browser: one page that needs nothing from anywhere else. It holds no data; its script asks the API,
 * with a token where one is needed, and puts answers in as text, never as HTML.
 */
import { createHash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --dim: #888; }
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0 0 .2rem; } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; } th { color: var(--dim); font-weight: normal; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; vertical-align: top; }
code { font-size: 12px; } .dim { color: var(--dim); } .bad { color: #c33; } .good { color: #283; }
#problem:empty { display: none; } #problem { color: #c33; margin: .6rem 0; }
form[hidden] { display: none; }
`;

const SCRIPT = `
'use strict';
const at = (id) => document.getElementById(id);
const KEY = 'millrace-token';
const MAX_DETAILS = 20;
const ENDED = ['FINISHED', 'CANCELED', 'FAILED'];

async function get(path) {
  const token = sessionStorage.getItem(KEY);
  const headers = token ? { authorization: 'Bearer ' + token } : {};
  const answer = await fetch('v1/' + path, { headers, cache: 'no-store' });
  at('ask').hidden = answer.status !== 401;
  const body = await answer.json();
  if (!answer.ok) throw new Error((body.errors || [answer.statusText]).join('; '));
  return body;
}

function cell(value, className) {
  const td = document.createElement('td');
  td.textContent = value === null || value === undefined ? '' : String(value);
  if (className) td.className = className;
  return td;
}

function fill(id, rows, nothing) {
  const body = at(id);
  body.replaceChildren(...rows.map((cells) => {
    const tr = document.createElement('tr');
    tr.append(...cells);
    return tr;
  }));
  if (rows.length > 0) return;
  const tr = body.insertRow();
  tr.append(cell(nothing, 'dim'));
  tr.firstChild.colSpan = 9;
}

const time = (ms) => (ms > 0 ? new Date(ms).toLocaleString() : '');
const seconds = (ms) => Math.max(0, Math.round(ms / 1000)) + ' s';
const mood = (state) => (state === 'FAILED' || state === 'FAILING' ? 'bad' : state === 'RUNNING' ? 'good' : 'dim');
const counted = (tasks) => Object.entries(tasks)
  .filter(([state, count]) => count > 0 && state !== 'total')
  .map(([state, count]) => count + ' ' + state).join(', ');

function jobRow(job, details) {
  const own = details ? details.millrace : null;
  const last = own && own['last-checkpoint'];
  return [
    cell(job.name), cell(job.jid), cell(job.state, mood(job.state)),
    cell(own && own['waiting-for'] ? counted(job.tasks) + '; waits for ' + own['waiting-for'] : counted(job.tasks)),
    cell(own ? own['held-back'].map((one) => one.name + ' ' + Math.round(one.ratio * 100) + ' %').join(', ') : ''),
    cell(own ? own.restarts : ''),
    cell(last ? last.id + ', ' + time(last['completed-at']) : ''),
    cell(time(job['start-time'])), cell(seconds(job.duration)),
  ];
}

function taskManagerRow(one, names, now) {
  const own = one.millrace;
  const slots = own.slots.map((slot) => (slot['job-id'] ? names.get(slot['job-id']) || slot['job-id'] : 'free'));
  const drain = own.drain ? 'drained: ' + own.drain.reason : '';
  return [
    cell(one.id), cell(one.path), cell(own.rack), cell(own.host), cell(slots.join(', ')),
    cell(one.freeSlots + ' of ' + one.slotsNumber),
    cell(seconds(now - one.timeSinceLastHeartbeat) + ' ago'), cell(drain),
  ];
}

async function refresh() {
  const [overview, jobs, all] = await Promise.all([get('overview'), get('jobs/overview'), get('taskmanagers')]);
  const running = jobs.jobs.filter((job) => !ENDED.includes(job.state)).slice(0, MAX_DETAILS);
  const details = new Map(await Promise.all(running.map(async (job) => {
    try { return [job.jid, await get('jobs/' + job.jid)]; } catch { return [job.jid, null]; }
  })));
  at('summary').textContent = overview['jobs-running'] + ' jobs run, ' + overview.taskmanagers + ' TaskManagers, '
    + overview['slots-available'] + ' of ' + overview['slots-total'] + ' slots free';
  fill('jobs', jobs.jobs.map((job) => jobRow(job, details.get(job.jid))), 'no jobs yet: millrace submit job.yaml');
  const names = new Map(jobs.jobs.map((job) => [job.jid, job.name]));
  const now = Date.now();
  fill('taskmanagers', all.taskmanagers.map((one) => taskManagerRow(one, names, now)), 'no TaskManagers');
}

async function loop() {
  try {
    if (!document.hidden) await refresh();
    at('problem').textContent = '';
  } catch (error) {
    at('problem').textContent = error.message;
  }
  setTimeout(loop, Number(document.body.dataset.refresh));
}

at('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, at('token').value);
  at('token').value = '';
  refresh().catch((error) => { at('problem').textContent = error.message; });
});
loop();
`;

/** Only this script and this style run, and it may ask nobody but its own server. */
export const STATUS_PAGE_POLICY = [
  "default-src 'none'",
  `script-src ${hashOf(SCRIPT)}`,
  `style-src ${hashOf(STYLE)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

const JOB_COLUMNS = ['name', 'id', 'state', 'tasks', 'held back', 'restarts', 'last checkpoint', 'started', 'for'];
const TASK_MANAGER_COLUMNS = ['id', 'address', 'rack', 'host', 'slots', 'free', 'heard from', ''];

export function statusPage(refreshMs: number): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Millrace</title><meta name="viewport" content="width=device-width">
<style>${STYLE}</style></head>
<body data-refresh="${refreshMs}">
<h1>Millrace</h1>
<div id="summary" class="dim"></div>
<div id="problem" role="alert"></div>
<form id="ask" hidden>
<label>Token <input id="token" type="password" autocomplete="off"></label> <button>Show</button>
</form>
<h2>Jobs</h2>
${table('jobs', JOB_COLUMNS)}
<h2>TaskManagers</h2>
${table('taskmanagers', TASK_MANAGER_COLUMNS)}
<script>${SCRIPT}</script>
</body></html>
`;
}

function table(id: string, columns: readonly string[]): string {
  const head = columns.map((name) => `<th>${name}</th>`).join('');
  return `<table><thead><tr>${head}</tr></thead><tbody id="${id}"></tbody></table>`;
}
