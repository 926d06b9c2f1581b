/** What the tests ask a cluster, by its REST API alone. */

export interface LeaderView {
  readonly 'dispatcher-id': string;
  readonly 'rest-url': string;
  readonly epoch: number;
}

export interface TaskView {
  readonly attempt: string;
  readonly vertex: string;
  readonly subtask: number;
  readonly state: string;
  readonly 'taskmanager-id': string | null;
}

export interface JobView {
  readonly jid: string;
  readonly state: string;
  readonly millrace: {
    readonly restarts: number;
    readonly 'waiting-for': string | null;
    readonly 'last-checkpoint': { readonly id: number; readonly 'completed-at': number } | null;
    readonly tasks: readonly TaskView[];
  };
}

export interface JobSummary {
  readonly jid: string;
  readonly state: string;
}

export interface TaskManagerView {
  readonly id: string;
  /** Where its RPC is. */
  readonly path: string;
  readonly slotsNumber: number;
  readonly freeSlots: number;
}

const TIMEOUT_MS = 2000;

class RestError extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(`HTTP ${status}: ${text}`);
    this.status = status;
  }
}

/** One Dispatcher's API. Everything rejects where it does not answer: whoever waits asks again. */
export class RestClient {
  readonly url: string;
  readonly #token: string | null;

  constructor(url: string, token: string | null = null) {
    this.url = url;
    this.#token = token;
  }

  /** Who leads, as far as this Dispatcher knows. */
  async leader(): Promise<LeaderView | null> {
    const { leader } = await this.#get<{ readonly leader: LeaderView | null }>('/v1/leader');
    return leader;
  }

  async taskManagers(): Promise<readonly TaskManagerView[]> {
    const { taskmanagers } = await this.#get<{ readonly taskmanagers: readonly TaskManagerView[] }>('/v1/taskmanagers');
    return taskmanagers;
  }

  async jobs(): Promise<readonly JobSummary[]> {
    const { jobs } = await this.#get<{ readonly jobs: readonly JobSummary[] }>('/v1/jobs/overview');
    return jobs;
  }

  job(jobId: string): Promise<JobView> {
    return this.#get<JobView>(`/v1/jobs/${jobId}`);
  }

  /** The counters of a vertex, by SUBTASK.STEP.COUNTER. */
  async counters(jobId: string, vertex: string): Promise<ReadonlyMap<string, number>> {
    const path = `/v1/jobs/${jobId}/vertices/${vertex}/metrics`;
    const names = await this.#get<readonly { readonly id: string }[]>(path);
    const asked = `${path}?get=${names.map(({ id }) => id).join()}`;
    const values = await this.#get<readonly { readonly id: string; readonly value: string }[]>(asked);
    return new Map(values.map(({ id, value }) => [id, Number(value)]));
  }

  /** With its causes; null where nothing has failed. */
  async lastFailure(jobId: string): Promise<string | null> {
    const answer = await this.#get<{ readonly 'root-exception': string | null }>(`/v1/jobs/${jobId}/exceptions`);
    return answer['root-exception'];
  }

  /** Harmless when repeated with one id. */
  async submit(jobId: string, text: string): Promise<void> {
    const headers = { 'content-type': 'application/yaml' };
    await this.#ask(`/v1/jobs?jobid=${jobId}`, { method: 'POST', headers, body: text });
  }

  async cancel(jobId: string): Promise<void> {
    await this.#ask(`/v1/jobs/${jobId}?mode=cancel`, { method: 'PATCH' });
  }

  async #get<T>(path: string): Promise<T> {
    return (await this.#ask(path, {})).json() as Promise<T>;
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== null) headers.set('authorization', `Bearer ${this.#token}`);
    const answer = await fetch(`${this.url}${path}`, { ...init, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) throw new RestError(answer.status, await answer.text());
    return answer;
  }
}
