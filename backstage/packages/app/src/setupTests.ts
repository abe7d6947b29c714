import '@testing-library/jest-dom';
import { configure } from '@testing-library/react';

// Tables of the design system take seconds to render on a machine that does other things as well.
jest.setTimeout(60_000);
configure({ asyncUtilTimeout: 15_000 });
