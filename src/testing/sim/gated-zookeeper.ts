import type { ConnectZooKeeper, ZooKeeperConnection } from '../../ha/index.ts';
import type { SimulatedProcess } from './context.ts';

/** The client of a simulated process: it hears nothing while its process is stopped, or dead. */
export function gatedZooKeeper(process: SimulatedProcess, connect: ConnectZooKeeper): ConnectZooKeeper {
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
    const connection = connect((state) => process.perform(() => onState(state)));
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
      close: () => heard(connection.close()),
    };
    return gated;
  };
}
