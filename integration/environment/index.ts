export { getBroker, getS3, type BrokerOptions } from './broker.ts';
export {
  javaConsume,
  javaEnds,
  javaProduce,
  javaTail,
  type JavaConsumeOptions,
  type JavaEnd,
  type JavaHeader,
  type JavaOperation,
  type JavaProduceOptions,
  type JavaRecord,
  type JavaTail,
} from './java-clients.ts';
export {
  createTopic,
  independentKafka,
  produceRecords,
  uniqueName,
  withAdmin,
  type TestRecord,
  type TopicOptions,
} from './topics.ts';
