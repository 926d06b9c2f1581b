import type { GatewayMethod } from './gateway-methods.ts';
import type { GatewayKind, ServedGateway } from './transport.ts';

type OnGone = (reason: string) => void;

/** What a process serves, by kind and name, and who wants to know when that ends. */
export class ServedGateways {
  readonly #served = new Map<string, object>();
  readonly #watchers = new Map<string, Set<OnGone>>();

  /** The address is the name. */
  serve(kind: GatewayKind, name: string, gateway: object): ServedGateway {
    const key = `${kind} ${name}`;
    this.#served.set(key, gateway);
    return {
      address: name,
      withdraw: () => {
        if (this.#served.get(key) !== gateway) return;
        this.#served.delete(key);
        const told = this.#watchers.get(name) ?? [];
        this.#watchers.delete(name);
        for (const onGone of told) onGone(`nothing is served at ${name} any more`);
      },
    };
  }

  /** Serves nothing any more, and tells nobody. */
  clear(): void {
    this.#served.clear();
    this.#watchers.clear();
  }

  find(kind: string, name: string): object | null {
    return this.#served.get(`${kind} ${name}`) ?? null;
  }

  watch(name: string, onGone: OnGone): () => void {
    const all = this.#watchers.get(name) ?? new Set();
    this.#watchers.set(name, all.add(onGone));
    return () => {
      all.delete(onGone);
    };
  }
}

/** Calls a method at once; what it throws becomes a rejection. */
export async function invoke(gateway: object, method: string, message: unknown): Promise<unknown> {
  return await ((gateway as Record<string, GatewayMethod>)[method] as GatewayMethod).call(gateway, message);
}
