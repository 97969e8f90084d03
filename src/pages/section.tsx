import type { Child } from 'hono/jsx';

interface SectionProps {
  readonly id: string;
  readonly title: string;
  /** What can be done about it, beside the title. */
  readonly action?: Child;
  readonly children: Child;
}

/** A part of the account page. */
export function Section({ id, title, action = null, children }: SectionProps) {
  return (
    <section aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        {action}
      </div>
      {children}
    </section>
  );
}
