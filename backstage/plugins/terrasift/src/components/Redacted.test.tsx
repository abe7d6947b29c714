import { render } from '@testing-library/react';
import { Redacted } from './Redacted';

describe('Redacted', () => {
  it.each([
    ['aws_vpc.main', 'aws_vpc.main'],
    ['a["[REDACTED:pii]"]', 'a["redacted: personal data"]'],
    ['a["[REDACTED:pii]#2"]', 'a["redacted: personal data #2"]'],
    ['[HASHED:infrastructure:0123456789abcdef]', 'hashed: infrastructure'],
    ['x [REDACTED:credential] y', 'x redacted: credential y'],
    // What only resembles a marker is a text like any other.
    ['[REDACTED:hunter2]', '[REDACTED:hunter2]'],
    ['[HASHED:pii:secret]', '[HASHED:pii:secret]'],
  ])('%s', (text, expected) => {
    const { container } = render(<Redacted text={text} />);
    expect(container).toHaveTextContent(expected);
  });
});
