import type { TopicDescription } from '../../streams/log/log.ts';
import type { Application } from '../../topologies/applications.ts';
import { ServingError } from '../errors.ts';
import type { OperatorSubject } from './subject.ts';

/** @throws ServingError SERVING_NOT_FOUND: it names what there is */
export function findApplication(
  { applications }: Pick<OperatorSubject, 'applications'>,
  applicationId: string,
): Application {
  const found = applications.find((application) => application.applicationId === applicationId);
  if (found !== undefined) return found;
  const names = applications.map((application) => application.applicationId);
  throw new ServingError(
    'SERVING_NOT_FOUND',
    `there is no application ${applicationId}; applications: ${names.join(', ')}`,
  );
}

/** @throws ServingError SERVING_NOT_FOUND: it names what there is */
export async function checkTopic(
  { engine }: Pick<OperatorSubject, 'engine'>,
  topic: string,
  partition: number | null,
): Promise<TopicDescription> {
  const names = await engine.admin.listTopics();
  if (!names.includes(topic))
    throw new ServingError(
      'SERVING_NOT_FOUND',
      `there is no topic ${topic}; topics: ${names.join(', ') || 'none'}`,
    );
  const description = await engine.admin.describeTopic(topic);
  if (partition !== null && partition >= description.partitions)
    throw new ServingError(
      'SERVING_NOT_FOUND',
      `topic ${topic} has no partition ${partition}; its partitions are 0 to ${description.partitions - 1}`,
    );
  return description;
}
