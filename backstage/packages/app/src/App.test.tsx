import { screen, render } from '@testing-library/react';
import App from './App';

describe('App', () => {
  it('asks who one wants to be', async () => {
    process.env.APP_CONFIG = [
      {
        data: {
          app: { title: 'Test', baseUrl: 'http://127.0.0.1:7007' },
          backend: { baseUrl: 'http://127.0.0.1:7007' },
        },
        context: 'test',
      },
    ] as any;
    render(App.createRoot());
    expect(
      await screen.findByRole('button', { name: 'Alice' }),
    ).toBeInTheDocument();
  });
});
