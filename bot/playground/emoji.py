"""Emoji by Slack's short names."""

NAMES = """
+1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 eyes 👀 white_check_mark ✅ heavy_check_mark ✔️ x ❌ tada 🎉 pray 🙏 heart ❤️ fire 🔥 rocket 🚀
bug 🐛 warning ⚠️ rotating_light 🚨 raised_hands 🙌 clap 👏 wave 👋 ok_hand 👌 muscle 💪 hand ✋ raised_hand ✋ point_up ☝️
point_up_2 👆 point_down 👇 point_left 👈 point_right 👉 crossed_fingers 🤞 v ✌️ metal 🤘 call_me_hand 🤙 handshake 🤝
writing_hand ✍️ facepunch 👊 fist ✊ open_hands 👐 palms_up_together 🤲 heart_hands 🫶 saluting_face 🫡 brain 🧠 ear 👂 eye 👁️
bust_in_silhouette 👤 busts_in_silhouette 👥 smile 😄 smiley 😃 grinning 😀 grin 😁 laughing 😆 sweat_smile 😅
rolling_on_the_floor_laughing 🤣 joy 😂 slightly_smiling_face 🙂 upside_down_face 🙃 wink 😉 blush 😊 innocent 😇
smiling_face_with_3_hearts 🥰 heart_eyes 😍 star-struck 🤩 kissing_heart 😘 yum 😋 stuck_out_tongue 😛
stuck_out_tongue_winking_eye 😜 zany_face 🤪 money_mouth_face 🤑 hugging_face 🤗 face_with_hand_over_mouth 🤭 shushing_face 🤫
thinking_face 🤔 zipper_mouth_face 🤐 face_with_raised_eyebrow 🤨 neutral_face 😐 expressionless 😑 no_mouth 😶 smirk 😏 unamused 😒
face_with_rolling_eyes 🙄 grimacing 😬 relieved 😌 pensive 😔 sleepy 😪 sleeping 😴 mask 😷 nauseated_face 🤢 sneezing_face 🤧
hot_face 🥵 cold_face 🥶 woozy_face 🥴 dizzy_face 😵 exploding_head 🤯 face_with_cowboy_hat 🤠 partying_face 🥳 sunglasses 😎
nerd_face 🤓 face_with_monocle 🧐 confused 😕 worried 😟 slightly_frowning_face 🙁 open_mouth 😮 hushed 😯 astonished 😲 flushed 😳
pleading_face 🥺 fearful 😨 cold_sweat 😰 cry 😢 sob 😭 scream 😱 confounded 😖 disappointed 😞 sweat 😓 weary 😩 tired_face 😫
yawning_face 🥱 triumph 😤 rage 😡 angry 😠 smiling_imp 😈 skull 💀 hankey 💩 clown_face 🤡 ghost 👻 alien 👽 robot_face 🤖
see_no_evil 🙈 hear_no_evil 🙉 speak_no_evil 🙊 melting_face 🫠 face_with_peeking_eye 🫣 dotted_line_face 🫥 face_in_clouds 😶‍🌫️
shrug 🤷 face_palm 🤦 raising_hand 🙋 bow 🙇 technologist 🧑‍💻 detective 🕵️ ninja 🥷 superhero 🦸 mage 🧙 running 🏃 dancer 💃 couple 👫
orange_heart 🧡 yellow_heart 💛 green_heart 💚 blue_heart 💙 purple_heart 💜 black_heart 🖤 white_heart 🤍 broken_heart 💔
sparkling_heart 💖 100 💯 boom 💥 dizzy 💫 sweat_drops 💦 dash 💨 zzz 💤 speech_balloon 💬 thought_balloon 💭 anger 💢 sparkles ✨
star ⭐ star2 🌟 zap ⚡ rainbow 🌈 sunny ☀️ partly_sunny ⛅ cloud ☁️ rain_cloud 🌧️ snowflake ❄️ snowman ⛄ umbrella ☔ ocean 🌊
droplet 💧 crescent_moon 🌙 earth_africa 🌍 dog 🐶 cat 🐱 mouse 🐭 rabbit 🐰 fox_face 🦊 bear 🐻 panda_face 🐼 tiger 🐯 lion_face 🦁
cow 🐮 pig 🐷 frog 🐸 monkey_face 🐵 chicken 🐔 penguin 🐧 bird 🐦 duck 🦆 owl 🦉 unicorn_face 🦄 bee 🐝 butterfly 🦋 snail 🐌 ladybug 🐞
spider 🕷️ turtle 🐢 snake 🐍 octopus 🐙 crab 🦀 whale 🐳 dolphin 🐬 fish 🐟 elephant 🐘 sloth 🦥 dragon 🐉 paw_prints 🐾 cactus 🌵
evergreen_tree 🌲 seedling 🌱 herb 🌿 four_leaf_clover 🍀 maple_leaf 🍁 mushroom 🍄 rose 🌹 sunflower 🌻 cherry_blossom 🌸 tulip 🌷
apple 🍎 banana 🍌 lemon 🍋 strawberry 🍓 grapes 🍇 watermelon 🍉 avocado 🥑 hot_pepper 🌶️ bread 🍞 croissant 🥐 pretzel 🥨
cheese_wedge 🧀 hamburger 🍔 pizza 🍕 taco 🌮 sushi 🍣 popcorn 🍿 doughnut 🍩 cookie 🍪 cake 🍰 birthday 🎂 chocolate_bar 🍫 ice_cream 🍨
coffee ☕ tea 🍵 beer 🍺 beers 🍻 wine_glass 🍷 champagne 🍾 clinking_glasses 🥂 soccer ⚽ basketball 🏀 trophy 🏆 medal 🏅
first_place_medal 🥇 second_place_medal 🥈 third_place_medal 🥉 dart 🎯 game_die 🎲 video_game 🎮 jigsaw 🧩 art 🎨 guitar 🎸
musical_note 🎵 headphones 🎧 microphone 🎤 clapper 🎬 ticket 🎫 balloon 🎈 confetti_ball 🎊 gift 🎁 ribbon 🎀 car 🚗 bus 🚌 truck 🚚
ambulance 🚑 fire_engine 🚒 bike 🚲 train 🚆 airplane ✈️ helicopter 🚁 ship 🚢 sailboat ⛵ anchor ⚓ construction 🚧
vertical_traffic_light 🚦 house 🏠 office 🏢 factory 🏭 hospital 🏥 bank 🏦 tent ⛺ world_map 🗺️ checkered_flag 🏁
triangular_flag_on_post 🚩 white_flag 🏳️ rainbow-flag 🏳️‍🌈 watch ⌚ iphone 📱 computer 💻 desktop_computer 🖥️ keyboard ⌨️
printer 🖨️ floppy_disk 💾 cd 💿 camera 📷 telephone ☎️ battery 🔋 electric_plug 🔌 bulb 💡 flashlight 🔦 candle 🕯️ satellite 📡
globe_with_meridians 🌐 hourglass ⌛ hourglass_flowing_sand ⏳ stopwatch ⏱️ alarm_clock ⏰ clock1 🕐 clock3 🕒 clock9 🕘 calendar 📅
date 📅 spiral_calendar_pad 🗓️ moneybag 💰 dollar 💵 euro 💶 credit_card 💳 chart 💹 email ✉️ incoming_envelope 📨 inbox_tray 📥
outbox_tray 📤 package 📦 mailbox 📫 memo 📝 pencil 📝 pencil2 ✏️ pen 🖊️ crayon 🖍️ briefcase 💼 file_folder 📁 open_file_folder 📂
card_index_dividers 🗂️ page_facing_up 📄 page_with_curl 📃 bookmark_tabs 📑 clipboard 📋 pushpin 📌 round_pushpin 📍 paperclip 📎
link 🔗 scissors ✂️ triangular_ruler 📐 book 📖 books 📚 notebook 📓 ledger 📒 newspaper 📰 bookmark 🔖 label 🏷️ bar_chart 📊
chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 mag 🔍 mag_right 🔎 lock 🔒 unlock 🔓 closed_lock_with_key 🔐 key 🔑
old_key 🗝️ hammer 🔨 wrench 🔧 hammer_and_wrench 🛠️ screwdriver 🪛 nut_and_bolt 🔩 gear ⚙️ scales ⚖️ toolbox 🧰 magnet 🧲 ladder 🪜
test_tube 🧪 petri_dish 🧫 dna 🧬 microscope 🔬 telescope 🔭 pill 💊 syringe 💉 thermometer 🌡️ broom 🧹 soap 🧼 toilet 🚽 door 🚪 bed 🛏️
bellhop_bell 🛎️ bell_hop 🛎️ shield 🛡️ bomb 💣 wastebasket 🗑️ shopping_trolley 🛒 crystal_ball 🔮 compass 🧭 mirror 🪞 bell 🔔
no_bell 🔕 loudspeaker 📢 mega 📣 mute 🔇 sound 🔉 crown 👑 gem 💎 tophat 🎩 mortar_board 🎓 eyeglasses 👓 necktie 👔 thread 🧵
red_circle 🔴 large_orange_circle 🟠 large_yellow_circle 🟡 large_green_circle 🟢 large_blue_circle 🔵 large_purple_circle 🟣
white_circle ⚪ black_circle ⚫ large_red_square 🟥 large_yellow_square 🟨 large_green_square 🟩 large_blue_square 🟦
white_large_square ⬜ black_large_square ⬛ large_blue_diamond 🔷 small_orange_diamond 🔸 ballot_box_with_check ☑️
heavy_plus_sign ➕ heavy_minus_sign ➖ heavy_multiplication_x ✖️ heavy_division_sign ➗ infinity ♾️ information_source ℹ️
question ❓ grey_question ❔ exclamation ❗ grey_exclamation ❕ bangbang ‼️ interrobang ⁉️ no_entry ⛔ no_entry_sign 🚫
octagonal_sign 🛑 o ⭕ radioactive_sign ☢️ biohazard_sign ☣️ recycle ♻️ arrows_counterclockwise 🔄 repeat 🔁
leftwards_arrow_with_hook ↩️ arrow_right_hook ↪️ arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️ arrow_upper_right ↗️
arrow_lower_right ↘️ twisted_rightwards_arrows 🔀 arrow_forward ▶️ pause_button ⏸️ black_square_for_stop ⏹️
black_circle_for_record ⏺️ fast_forward ⏩ rewind ⏪ up 🆙 new 🆕 free 🆓 sos 🆘 ok 🆗 cool 🆒 id 🆔 one 1️⃣ two 2️⃣ three 3️⃣
four 4️⃣ five 5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣ zero 0️⃣ keycap_ten 🔟 hash #️⃣ abc 🔤 1234 🔢 copyright ©️ registered ®️
tm ™️ end 🔚 back 🔙 soon 🔜 top 🔝
"""
EMOJI = dict(zip(NAMES.split()[::2], NAMES.split()[1::2], strict=True))

QUICK = ("white_check_mark", "eyes", "raised_hands")  # offered beside each message
ICONS = {"trash": "🗑️", "thumbs-up": "👍", "thumbs-down": "👎", "copy": "📋", "refresh": "🔄"}  # of icon_button


def face(name: str) -> str:
    """The emoji of a reaction; its name where it has none here."""
    return EMOJI.get(name.partition("::")[0], f":{name}:")
