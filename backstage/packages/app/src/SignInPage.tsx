import { ProxiedSignInPage } from '@backstage/core-components';
import { SignInPageProps } from '@backstage/plugin-app-react';
import { Button, Container, Flex, Text } from '@backstage/ui';
import { useState } from 'react';

/** The backend's examplePeople, and what is granted to them in app-config.yaml. */
const PEOPLE = [
  ['user:default/guest', 'Guest', 'sees cobalt-03'],
  ['user:default/alice', 'Alice', 'sees acme-01, by her group'],
  ['user:default/olga', 'Olga', 'operates all three tenants'],
];
const KEPT = 'terrasift-example-person';

/** Asks who one wants to be. */
export function SignInPage(props: SignInPageProps) {
  const [person, setPerson] = useState(sessionStorage.getItem(KEPT));
  if (person) {
    return (
      <ProxiedSignInPage
        {...props}
        provider="example"
        headers={{ 'x-example-person': person }}
      />
    );
  }
  const choose = (ref: string) => {
    sessionStorage.setItem(KEPT, ref);
    setPerson(ref);
  };
  return (
    <Container mt="8">
      <main>
        <Flex direction="column" gap="4" align="start">
          <Text as="h1" variant="title-medium">
            Who would you like to be?
          </Text>
          {PEOPLE.map(([ref, name, grants]) => (
            <Flex key={ref} gap="3" align="center">
              <Button onPress={() => choose(ref)}>{name}</Button>
              <Text>{grants}</Text>
            </Flex>
          ))}
        </Flex>
      </main>
    </Container>
  );
}
