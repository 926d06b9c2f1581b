import { describe, it } from '@jest/globals';
import { rpcTransportContract } from '../testing/index.ts';
import { inProcessTransport } from './index.ts';
import type { RpcTransport } from './index.ts';

describe('the in-process transport', () => {
  it.each(rpcTransportContract)('$title', async ({ run }) => {
    const transport = inProcessTransport();
    const withdrawals: (() => void)[] = [];
    const receiver: RpcTransport = {
      ...transport,
      serve: (kind, name, gateway) => {
        const served = transport.serve(kind, name, gateway);
        withdrawals.push(() => served.withdraw());
        return served;
      },
    };
    const endReceiver = async (): Promise<void> => {
      for (const withdraw of withdrawals) withdraw();
    };
    await run({ receiver, caller: transport, endReceiver });
  });
});
