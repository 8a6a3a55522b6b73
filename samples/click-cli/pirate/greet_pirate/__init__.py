STYLE = "Ahoy, {name}!"
