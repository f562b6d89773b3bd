import { announcement, dismiss, notices } from "../../state/notices";
import { IconButton } from "./controls";

/** Short messages, and the region that screen readers listen to. */
export function Notices() {
  return (
    <>
      <div class="notices" role="status" aria-live="polite" data-testid="notices">
        {notices.value.map((notice) => (
          <div key={notice.id} class={`notice notice-${notice.tone}`} data-testid="notice">
            <span class="notice-text" dir="auto">
              {notice.text}
            </span>
            {notice.action && (
              <button
                type="button"
                class="notice-action"
                data-testid="notice-action"
                onClick={() => {
                  dismiss(notice.id);
                  notice.action?.run();
                }}
              >
                {notice.action.label}
              </button>
            )}
            <IconButton testId="notice-dismiss" label="Dismiss" icon="close" size={16} onClick={() => dismiss(notice.id)} />
          </div>
        ))}
      </div>
      <div class="visually-hidden" aria-live="polite" data-testid="announcement">
        {announcement.value}
      </div>
    </>
  );
}
