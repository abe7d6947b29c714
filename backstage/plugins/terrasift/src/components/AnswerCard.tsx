import {
  Alert,
  Button,
  Card,
  CardBody,
  CardHeader,
  Flex,
  Skeleton,
  Text,
  VisuallyHidden,
} from '@backstage/ui';
import { ReactNode, useId } from 'react';
import { Answer } from '../hooks/useAnswer';
import { Moment } from './Moment';

interface AnswerCardProps<T> {
  title: string;
  answer: Answer<T>;
  /** Beside the title. */
  actions?: ReactNode;
  /** What to say in place of the content when there is nothing to show. */
  empty?: (data: T) => string | undefined;
  children: (data: T) => ReactNode;
}

/** A card about something that was asked for: it tells whether that is on its way, failed, of before, or nothing. */
export function AnswerCard<T>(props: AnswerCardProps<T>) {
  const { answer, actions, title } = props;
  const heading = useId();
  return (
    <Card role="region" aria-labelledby={heading} aria-busy={answer.pending}>
      <CardHeader>
        <Flex justify="between" align="center" gap="3">
          <Text as="h2" variant="title-x-small" id={heading}>
            {title}
          </Text>
          {actions}
        </Flex>
      </CardHeader>
      <CardBody>
        <Flex direction="column" gap="3">
          <Body {...props} />
        </Flex>
      </CardBody>
    </Card>
  );
}

function Body<T>({ title, answer, empty, children }: AnswerCardProps<T>) {
  const { data, error, at, reload } = answer;
  if (data === undefined && error) {
    return <Failure error={error} onRetry={reload} />;
  }
  if (data === undefined) {
    return (
      <div role="status">
        <VisuallyHidden>{`${title}: loading`}</VisuallyHidden>
        <Flex direction="column" gap="2">
          <Skeleton width="60%" height={16} />
          <Skeleton width="80%" height={16} />
          <Skeleton width="40%" height={16} />
        </Flex>
      </div>
    );
  }
  const nothing = empty?.(data);
  return (
    <>
      {error && at && (
        <Alert
          role="status"
          status="warning"
          icon
          title="This may be out of date"
          description={
            <>
              It is of <Moment at={at.toISOString()} />: {told(error)}
            </>
          }
        />
      )}
      {nothing ? <Text>{nothing}</Text> : children(data)}
    </>
  );
}

/** What went wrong, and a way to try again. */
export function Failure(props: { error: Error; onRetry(): void }) {
  return (
    <Alert
      role="alert"
      status="danger"
      icon
      title="This cannot be shown"
      description={told(props.error)}
      customActions={
        <Button size="small" variant="secondary" onPress={props.onRetry}>
          Try again
        </Button>
      }
    />
  );
}

/** What the backend said, without the frame that the error puts around it. */
export function told(error: Error): string {
  const body = (error as { body?: { error?: { message?: string } } }).body;
  return body?.error?.message ?? error.message;
}
