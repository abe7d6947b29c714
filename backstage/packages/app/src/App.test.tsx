import { screen, render } from '@testing-library/react';
import App from './App';

describe('App', () => {
  it('asks who one wants to be', async () => {
    const config = {
      data: {
        app: { title: 'Test', baseUrl: 'http://127.0.0.1:7007' },
        backend: { baseUrl: 'http://127.0.0.1:7007' },
      },
      context: 'test',
    };
    // An assigned variable would become a text.
    process.env = { NODE_ENV: 'test', APP_CONFIG: [config] as any };
    render(App.createRoot());
    expect(
      await screen.findByRole('button', { name: 'Alice' }),
    ).toBeInTheDocument();
  });
});
