"""Emoji by Slack's short names: the ones that desks use."""

EMOJI = {
    "+1": "👍", "thumbsup": "👍", "-1": "👎", "thumbsdown": "👎", "eyes": "👀", "x": "❌", "white_check_mark": "✅",
    "heavy_check_mark": "✔️", "tada": "🎉", "pray": "🙏", "heart": "❤️", "fire": "🔥", "rocket": "🚀", "bug": "🐛",
    "warning": "⚠️", "rotating_light": "🚨", "information_source": "ℹ️", "question": "❓", "grey_question": "❔",
    "exclamation": "❗", "bulb": "💡", "memo": "📝", "mag": "🔍", "hourglass": "⌛", "hourglass_flowing_sand": "⏳",
    "stopwatch": "⏱️", "clock1": "🕐", "calendar": "📅", "date": "📅", "lock": "🔒", "unlock": "🔓", "key": "🔑", "link": "🔗",
    "paperclip": "📎", "file_folder": "📁", "page_facing_up": "📄", "clipboard": "📋", "bar_chart": "📊",
    "chart_with_upwards_trend": "📈", "moneybag": "💰", "email": "✉️", "bell": "🔔", "no_bell": "🔕", "speech_balloon": "💬",
    "thinking_face": "🤔", "smile": "😄", "slightly_smiling_face": "🙂", "joy": "😂", "cry": "😢", "sob": "😭", "wave": "👋",
    "robot_face": "🤖", "sparkles": "✨", "star": "⭐", "zap": "⚡", "wrench": "🔧", "hammer_and_wrench": "🛠️", "gear": "⚙️",
    "construction": "🚧", "package": "📦", "books": "📚", "book": "📖", "art": "🎨", "no_entry": "⛔", "no_entry_sign": "🚫",
    "octagonal_sign": "🛑", "black_square_for_stop": "⏹️", "arrows_counterclockwise": "🔄", "repeat": "🔁", "leftwards_arrow_with_hook": "↩️",
    "arrow_right": "➡️", "arrow_left": "⬅️", "heavy_plus_sign": "➕", "wastebasket": "🗑️", "red_circle": "🔴", "large_green_circle": "🟢",
    "large_yellow_circle": "🟡", "large_blue_circle": "🔵", "white_circle": "⚪", "hand": "✋", "raised_hands": "🙌", "clap": "👏",
    "100": "💯", "ok_hand": "👌", "muscle": "💪", "coffee": "☕", "house": "🏠", "bust_in_silhouette": "👤", "busts_in_silhouette": "👥",
    "bell_hop": "🛎️", "bellhop_bell": "🛎️", "computer": "💻", "globe_with_meridians": "🌐", "test_tube": "🧪", "seedling": "🌱",
    "large_orange_circle": "🟠", "white_large_square": "⬜", "ballot_box_with_check": "☑️", "pause_button": "⏸️",
    "arrow_forward": "▶️", "pencil2": "✏️", "inbox_tray": "📥", "outbox_tray": "📤", "ticket": "🎫", "label": "🏷️",
}  # fmt: skip

QUICK = ("eyes", "white_check_mark", "x", "+1", "-1", "tada", "pray")  # offered in each message's menu
ICONS = {"trash": "🗑️", "thumbs-up": "👍", "thumbs-down": "👎", "copy": "📋", "refresh": "🔄"}  # of icon_button
