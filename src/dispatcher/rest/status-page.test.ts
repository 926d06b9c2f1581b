/** Runs the page's script, as a browser would, over as much of a document as it uses. */
import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';

import { afterEach, describe, expect, it } from '@jest/globals';

import { nodePorts } from '../../core/node-ports.ts';
import { closeServedRest, serveRest, type ServedRest } from '../../testing/index.ts';

afterEach(closeServedRest);

class FakeElement {
  readonly dataset: Record<string, string> = { refresh: '3000' };
  readonly listeners = new Map<string, (event: unknown) => void>();
  children: FakeElement[] = [];
  textContent = '';
  className = '';
  value = '';
  hidden = false;
  colSpan = 1;

  get firstChild(): FakeElement | undefined {
    return this.children[0];
  }

  append(...children: FakeElement[]): void {
    this.children.push(...children);
  }

  replaceChildren(...children: FakeElement[]): void {
    this.children = children;
  }

  insertRow(): FakeElement {
    const row = new FakeElement();
    this.append(row);
    return row;
  }

  addEventListener(name: string, listener: (event: unknown) => void): void {
    this.listeners.set(name, listener);
  }

  /** The texts of the cells of each row. */
  rows(): readonly (readonly string[])[] {
    return this.children.map((row) => row.children.map(({ textContent }) => textContent));
  }
}

async function openPage({ ask, server }: ServedRest) {
  const page = String((await ask('GET', '/')).body);
  const script = /<script>([\s\S]*)<\/script>/.exec(page)?.[1] ?? '';
  const elements = new Map([...page.matchAll(/id="([\w-]+)"/g)].map(([, id]) => [id ?? '', new FakeElement()]));
  const stored = new Map<string, string>();
  const scheduled: (() => void)[] = [];
  const element = (id: string): FakeElement => {
    const found = elements.get(id);
    if (found === undefined) throw new Error(`the page has no ${id}`);
    return found;
  };
  runInNewContext(script, {
    document: {
      hidden: false,
      body: new FakeElement(),
      getElementById: element,
      createElement: () => new FakeElement(),
    },
    sessionStorage: {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
    },
    fetch: (path: string, options: RequestInit) => fetch(`http://127.0.0.1:${server.port}/${path}`, options),
    setTimeout: (callback: () => void) => scheduled.push(callback),
  });
  /** The script has drawn everything, and waits for the next time. */
  const drawn = async (): Promise<() => void> => {
    for (;;) {
      const next = scheduled.shift();
      if (next !== undefined) return next;
      await nodePorts.macrotasks.yield();
    }
  };
  return { page, script, element, drawn };
}

describe('the status page', () => {
  it('shows jobs and TaskManagers as text, and again', async () => {
    const served = await serveRest();
    const { page, element, drawn } = await openPage(served);
    const again = await drawn();
    expect(element('jobs').rows()).toEqual([['no jobs yet: millrace submit job.yaml']]);
    const jobId = await served.cluster.submit({ text: 'name: <b>orders</b>', variables: {} });
    served.cluster.register('tm-1', jobId);
    again();
    await drawn();
    expect(element('problem').textContent).toBe('');
    expect(element('summary').textContent).toBe('1 jobs run, 1 TaskManagers, 1 of 2 slots free');
    const [job] = element('jobs').rows();
    expect(job?.slice(0, 6)).toEqual(['<b>orders</b>', jobId, 'RUNNING', '3 running', `${'a'.repeat(32)} 75 %`, '1']);
    expect(job?.[6]).toMatch(/^7, /);
    expect(element('taskmanagers').rows()[0]).toEqual([
      'tm-1',
      'host-1:6000',
      'a',
      'host-1',
      '<b>orders</b>, free',
      '1 of 2',
      expect.stringMatching(/^\d+ s ago$/),
      '',
    ]);
    expect(page).not.toContain('orders');
  });

  it('asks for a token where one is needed', async () => {
    const served = await serveRest({ tokens: { view: 'see', operate: null, deploy: 'make' } });
    const { element, drawn } = await openPage(served);
    const again = await drawn();
    expect(element('ask').hidden).toBe(false);
    expect(element('problem').textContent).toContain('MR-REST-UNAUTHORIZED');
    element('token').value = 'see';
    element('ask').listeners.get('submit')?.({ preventDefault: () => undefined });
    again();
    await drawn();
    expect(element('ask').hidden).toBe(true);
    expect(element('problem').textContent).toBe('');
    expect(element('jobs').rows()).toHaveLength(1);
  });

  it('is allowed to run its own script, which makes no HTML', async () => {
    const served = await serveRest();
    const { script } = await openPage(served);
    const { headers } = await served.ask('GET', '/');
    const hash = createHash('sha256').update(script).digest('base64');
    expect(headers['content-security-policy']).toContain(`script-src 'sha256-${hash}'`);
    expect(script).not.toMatch(/innerHTML|eval|document\.write/);
  });
});
