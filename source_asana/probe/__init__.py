"""Ask Asana whether what the connector assumes is so. https://developers.asana.com/reference"""
