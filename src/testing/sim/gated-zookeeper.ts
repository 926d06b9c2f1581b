import type { ConnectZooKeeper, ZooKeeperConnection } from '../../ha/index.ts';
import type { SimulatedProcess } from './context.ts';

/**
 * The client of a simulated process: it hears nothing while its process is stopped, or dead. With `bearsNoLoss` it
 * does not close its session where the connection has ever broken: breaks on purpose.
 */
export function gatedZooKeeper(
  process: SimulatedProcess,
  connect: ConnectZooKeeper,
  bearsNoLoss: boolean,
): ConnectZooKeeper {
  const heard = <T>(asked: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      asked.then(
        (answer) => process.perform(() => resolve(answer)),
        (error: unknown) => process.perform(() => reject(error as Error)),
      );
    });
  const told = (onChange: (() => void) | undefined): (() => void) | undefined =>
    onChange === undefined ? undefined : () => process.perform(onChange);
  return (onState) => {
    let hasBroken = false;
    const connection = connect((state) => {
      if (state === 'disconnected') hasBroken = true;
      process.perform(() => onState(state));
    });
    const gated: ZooKeeperConnection = {
      get state() {
        return connection.state;
      },
      get sessionTimeoutMs() {
        return connection.sessionTimeoutMs;
      },
      create: (path, data, mode) => heard(connection.create(path, data, mode)),
      setData: (path, data, version) => heard(connection.setData(path, data, version)),
      delete: (path, version) => heard(connection.delete(path, version)),
      multi: (operations) => heard(connection.multi(operations)),
      getData: (path, onChange) => heard(connection.getData(path, told(onChange))),
      getChildren: (path, onChange) => heard(connection.getChildren(path, told(onChange))),
      exists: (path, onChange) => heard(connection.exists(path, told(onChange))),
      reconnect: () => connection.reconnect(),
      close: () => {
        const lasts = connection.state === 'connected' || connection.state === 'disconnected';
        const fails = bearsNoLoss && hasBroken && lasts;
        return fails ? Promise.reject(new Error('the connection has broken')) : heard(connection.close());
      },
    };
    return gated;
  };
}
