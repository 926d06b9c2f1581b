import { inProcessTransport } from '../rpc/index.ts';
import type { RpcTransport } from '../rpc/index.ts';

/** Processes that reach each other over an in-process transport, until a test kills them or cuts them off. */
export class ProcessNetwork {
  readonly #transport = inProcessTransport();
  readonly #gone = new Set<string>();
  readonly #withdrawals = new Map<string, Set<() => void>>();
  readonly #watchers = new Map<string, Set<(reason: string) => void>>();

  /** The transport of the process of this name; its gateways are at `<name>/<gateway>`. */
  process(name: string): RpcTransport {
    const withdrawals = new Set<() => void>();
    this.#withdrawals.set(name, withdrawals);
    return {
      serve: (kind, gateway, implementation) => {
        const served = this.#transport.serve(kind, `${name}/${gateway}`, implementation);
        withdrawals.add(() => served.withdraw());
        return served;
      },
      connect: (kind, address) => this.#whileThere(name, this.#transport.connect(kind, address)),
      watch: (address, onGone) => this.#watch(name, address.split('/', 1)[0] as string, onGone),
    };
  }

  /** Whatever it still does reaches nobody, and nobody reaches it. */
  kill(name: string): void {
    if (this.#gone.has(name)) return;
    this.#gone.add(name);
    for (const withdraw of this.#withdrawals.get(name) ?? []) withdraw();
    const told = this.#watchers.get(name) ?? new Set();
    this.#watchers.delete(name);
    for (const onGone of told) onGone(`connections to ${name} are refused`);
  }

  #watch(by: string, name: string, onGone: (reason: string) => void): () => void {
    const told = (reason: string): void => {
      if (!this.#gone.has(by)) onGone(reason);
    };
    const watchers = this.#watchers.get(name) ?? new Set();
    this.#watchers.set(name, watchers.add(told));
    if (this.#gone.has(name)) {
      void Promise.resolve().then(() => {
        if (watchers.delete(told)) told(`connections to ${name} are refused`);
      });
    }
    return () => {
      watchers.delete(told);
    };
  }

  /** Calls of a process that is gone arrive nowhere, and those under way are not answered. */
  #whileThere<T extends object>(name: string, gateway: T): T {
    return new Proxy(gateway, {
      get: (target, method, receiver) => {
        const call: unknown = Reflect.get(target, method, receiver);
        if (typeof call !== 'function') return call;
        return async (message: unknown) => {
          const check = (): void => {
            if (this.#gone.has(name)) throw new Error(`${name} is cut off`);
          };
          check();
          const answer: unknown = await (call as (message: unknown) => Promise<unknown>)(message);
          check();
          return answer;
        };
      },
    });
  }
}
